package webhooks

import (
	"net/netip"
	"strings"
	"testing"

	"gantry/tunnel/fault"
)

func TestGuardKnowsWhatIsPublic(t *testing.T) {
	g := Guard{Private: prefixes("10.1.0.0/16", "fd00:1::/32")}
	for address, allowed := range map[string]bool{
		"93.184.216.34": true, "8.8.8.8": true, "2606:2800:220:1::1": true, "172.32.0.1": true, "100.128.0.1": true, "2a00::1": true,
		"127.0.0.1": false, "127.8.8.8": false, "0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false, "192.0.0.8": false, "198.18.0.1": false,
		"224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false, "203.0.113.9": false, "192.88.99.1": false,
		"::1": false, "::": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00::1": false, "fec0::1": false, "ff02::1": false, "2001:db8::1": false, "2001::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:8.8.8.8": true,
		"64:ff9b::127.0.0.1": false, "64:ff9b::8.8.8.8": true, "64:ff9b:1::1": false, "2002:7f00:1::1": false, "2002:a00:1::1": false, "2002:808:808::1": true, "::10.0.0.1": false,
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.0.1": false, "fd00:1::7": true, "fd00:2::7": false,
	} {
		if err := g.check(netip.MustParseAddr(address)); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestGuardLooksAtWhatIsDialled: the check of the URL is for people, that of the dial is the one that counts.
func TestGuardLooksAtWhatIsDialled(t *testing.T) {
	for to, allowed := range map[string]bool{
		"93.184.216.34:443": true, "[2606:2800:220:1::1]:443": true, "127.0.0.1:443": false, "[::ffff:127.0.0.1]:443": false, "[fe80::1%1]:80": false, "nonsense": false,
	} {
		network := "tcp4"
		if strings.HasPrefix(to, "[") {
			network = "tcp6"
		}
		if err := (Guard{}).control(t.Context(), network, to, nil); (err == nil) != allowed {
			t.Errorf("%s: %v", to, err)
		}
	}
	if (Guard{}).control(t.Context(), "unix", "/run/docker.sock", nil) == nil {
		t.Error("a unix socket is dialled")
	}
}

func TestCheckRefusesHelpfully(t *testing.T) {
	lax := Guard{HTTP: true, Private: prefixes("127.0.0.0/8")}
	for _, tt := range []struct {
		url   string
		guard Guard
		want  string // in the refusal; empty: it is taken
	}{
		{"https://93.184.216.34/hook?key=1", Guard{}, ""},
		{"http://127.0.0.1:8080/hook", lax, ""},
		{"http://93.184.216.34/hook", Guard{}, "https://"},
		{"https://127.0.0.1/hook", Guard{}, "webhooks.allow_private"},
		{"https://localhost/hook", Guard{}, "webhooks.allow_private"},
		{"https://[::ffff:192.168.0.1]/hook", Guard{}, "webhooks.allow_private"},
		{"https://user:word@93.184.216.34/", Guard{}, "signed"},
		{"https://93.184.216.34/#part", Guard{}, "#"},
		{"https://no-such-host.invalid/", Guard{}, "no address"},
		{"ftp://93.184.216.34/", lax, "https://"},
		{"https:///hook", Guard{}, "a URL such as"},
		{"https:93.184.216.34", Guard{}, "a URL such as"},
		{"93.184.216.34", Guard{}, "a URL such as"},
		{"", Guard{}, "a URL such as"},
		{"https://93.184.216.34/" + strings.Repeat("a", maxURL), Guard{}, "at most"},
	} {
		err := tt.guard.Check(t.Context(), tt.url)
		if err == nil && tt.want == "" {
			continue
		}
		problem := fault.From(err, fault.HopRelay)
		if err == nil || problem.Code != fault.InvalidRequest || len(problem.Fields) != 1 || problem.Fields[0].Name != "url" || !strings.Contains(problem.Fields[0].Message, tt.want) {
			t.Errorf("%.60s: got %v, %+v", tt.url, err, problem.Fields)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"https://127.1/", "https://0x7f.1/", "https://[::1%25lo]/", "https://2130706433/", "https://10.0.0.1:99999/", "https://a b/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ctx, cancel := contextOver(t) // no name is resolved
		defer cancel()
		if len(text) > 2*maxURL {
			return
		}
		if err := (Guard{}).Check(ctx, text); err != nil && !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
