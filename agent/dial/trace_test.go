package dial

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
)

// TestTrace looks at dials that end at each step.
func TestTrace(t *testing.T) {
	port := listener(t)
	type reached struct{ policy, dns, tcp bool }
	for _, tt := range []struct {
		name, address string
		resolver      names
		targets       []string
		reached       reached
		failed        func(Seen) error
	}{
		{"policy", "db:1", nil, nil, reached{policy: true}, func(s Seen) error { return s.Policy.Err }},
		{"policy about the address", "db:" + port, names{"db": {"127.0.0.1"}}, []string{"db:" + port}, reached{true, true, false},
			func(s Seen) error { return s.Policy.Err }},
		{"dns", "db:1", names{}, []string{"db:1"}, reached{true, true, false}, func(s Seen) error { return s.DNS.Err }},
		{"tcp", "127.0.0.1:1", nil, []string{"127.0.0.1:1"}, reached{true, false, true}, func(s Seen) error { return s.TCP.Err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var trace Trace
			_, err := dialer(t, tt.resolver, tt.targets...).Dial(WithTrace(t.Context(), &trace), "tcp", tt.address)
			seen := trace.Seen()
			if err == nil || tt.failed(seen) == nil {
				t.Errorf("dialled with %v, seen %+v", err, seen)
			}
			if got := (reached{seen.Policy.Reached, seen.DNS.Reached, seen.TCP.Reached}); got != tt.reached || seen.Target != tt.address {
				t.Errorf("reached %+v of %s, want %+v", got, seen.Target, tt.reached)
			}
		})
	}
}

// TestTraceSeesTLS tells a connection that begins TLS from one that does not.
func TestTraceSeesTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	address := l.Addr().String()
	for name, encrypts := range map[string]bool{"plain": false, "tls": true} {
		t.Run(name, func(t *testing.T) {
			var trace Trace
			conn, err := dialer(t, nil, address).Dial(WithTrace(t.Context(), &trace), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if encrypts {
				_ = tls.Client(conn, &tls.Config{ServerName: "db"}).HandshakeContext(context.Background()) // nobody answers it
			} else {
				_, _ = conn.Write([]byte("hello, this is no TLS"))
			}
			seen := trace.Seen()
			if seen.TLS.Reached != encrypts || seen.Address.String() != address {
				t.Errorf("seen %+v", seen)
			}
		})
	}
}
