package dial

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"gantry/agent/policy"
	"gantry/configs"
	"gantry/tunnel/fault"
)

// names is a resolver of a test's own.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	all, known := n[host]
	if !known {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var found []netip.Addr
	for _, a := range all {
		found = append(found, netip.MustParseAddr(a))
	}
	return found, nil
}

func dialer(t *testing.T, resolver names, targets ...string) *Dialer {
	t.Helper()
	p, err := policy.New(configs.Policy{Targets: targets}, policy.Own{})
	if err != nil {
		t.Fatal(err)
	}
	return &Dialer{Policy: func() Policy { return p }, Resolver: resolver, Timeout: 2 * time.Second, Logger: slog.New(slog.DiscardHandler)}
}

// listener gives the port of a server on loopback that accepts and says nothing.
func listener(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func TestDial(t *testing.T) {
	port := listener(t)
	closed := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	}()
	for _, tt := range []struct {
		name     string
		resolver names
		targets  []string
		address  string
		want     fault.Code // empty: it connects
		detail   string
	}{
		{"address allowed", nil, []string{"127.0.0.1:" + port}, "127.0.0.1:" + port, "", ""},
		{"nothing allowed", nil, nil, "127.0.0.1:" + port, fault.PolicyDenied, ""},
		{"another port", nil, []string{"127.0.0.1:1"}, "127.0.0.1:" + port, fault.PolicyDenied, ""},
		{"name not allowed is not even resolved", nil, []string{"other:1"}, "db:" + port, fault.PolicyDenied, ""},
		{"allowed name leads to loopback", names{"db": {"127.0.0.1"}}, []string{"db:" + port}, "db:" + port, fault.PolicyDenied, ""},
		{"the same, with the address allowed too", names{"db": {"127.0.0.1"}}, []string{"db:" + port, "127.0.0.1:" + port}, "db:" + port, "", ""},
		{"allowed name leads to a cloud's metadata", names{"db": {"169.254.169.254"}}, []string{"*:" + port}, "db:" + port, fault.PolicyDenied, ""},
		{"mapped loopback is loopback", names{"db": {"::ffff:127.0.0.1"}}, []string{"db:" + port}, "db:" + port, fault.PolicyDenied, ""},
		{"refused addresses are left out, the allowed one is dialled", names{"db": {"169.254.1.1", "127.0.0.1"}}, []string{"db:" + port, "127.0.0.1:" + port}, "db:" + port, "", ""},
		{"nobody listens", nil, []string{"127.0.0.1:" + closed}, "127.0.0.1:" + closed, fault.SystemUnreachable, "127.0.0.1:" + closed + " refused the connection: the host is up, and nothing listens on that port."},
		{"no such name", names{}, []string{"db:5432"}, "db:5432", fault.SystemUnreachable, "The host name of db:5432 is not known to the agent's DNS."},
		{"no port", nil, []string{"db:5432"}, "db", fault.ValidationFailed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := dialer(t, tt.resolver, tt.targets...).Dial(t.Context(), "tcp", tt.address)
			if err == nil {
				_ = conn.Close()
			}
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Code != tt.want {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if tt.detail != "" && f.Detail != tt.detail {
				t.Errorf("detail %q, want %q", f.Detail, tt.detail)
			}
			if f.Advice == "" {
				t.Error("no advice")
			}
		})
	}
}

func TestOtherNetworksAreRefused(t *testing.T) {
	for _, network := range []string{"udp", "unix"} {
		if _, err := dialer(t, nil, "*:*").Dial(t.Context(), network, "10.0.0.1:53"); !fault.Is(err, fault.PolicyDenied) {
			t.Errorf("%s: %v", network, err)
		}
	}
}

// silent is a resolver that never answers.
type silent struct{}

func (silent) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTimeoutAndCancellationAreToldApart(t *testing.T) {
	d := dialer(t, nil, "db:5432")
	d.Resolver, d.Timeout = silent{}, 20*time.Millisecond
	if _, err := d.Dial(t.Context(), "tcp", "db:5432"); !fault.Is(err, fault.SystemUnreachable) {
		t.Errorf("silence: %v, want SYSTEM_UNREACHABLE", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Dial(ctx, "tcp", "db:5432"); !errors.Is(err, context.Canceled) || fault.Is(err, fault.SystemUnreachable) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestCheckedAddressIsTheDialledOne has a name that leads elsewhere the second time it is asked for.
func TestCheckedAddressIsTheDialledOne(t *testing.T) {
	port := listener(t)
	d := dialer(t, nil, "db:"+port, "127.0.0.1:"+port)
	asked := 0
	d.Resolver = resolverFunc(func() []netip.Addr {
		if asked++; asked > 1 {
			return []netip.Addr{netip.MustParseAddr("169.254.169.254")}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	})
	conn, err := d.Dial(t.Context(), "tcp", "db:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if asked != 1 || conn.RemoteAddr().String() != "127.0.0.1:"+port {
		t.Errorf("asked %d times, connected to %s", asked, conn.RemoteAddr())
	}
}

type resolverFunc func() []netip.Addr

func (f resolverFunc) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return f(), nil
}
