package proxy

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/configs"
)

type fakeSystem struct {
	setting Setting
	err     error
}

func (f fakeSystem) For(*url.URL) (Setting, error) { return f.setting, f.err }

func TestRoute(t *testing.T) {
	for _, tt := range []struct {
		name        string
		config      configs.Proxy
		environment map[string]string
		system      System
		relay       string // empty: wss://relay.example.com
		want        string // the proxy's URL
		origin      string
		problem     string
	}{
		{name: "nothing is set"},
		{name: "the configuration", config: configs.Proxy{URL: "http://a:3128"}, environment: map[string]string{"HTTPS_PROXY": "b:1"},
			system: fakeSystem{setting: Setting{"c:1", OriginWindows}}, want: "http://a:3128", origin: "configuration"},
		{name: "the environment", environment: map[string]string{"HTTPS_PROXY": "http://b:1"},
			system: fakeSystem{setting: Setting{"c:1", OriginWindows}}, want: "http://b:1", origin: "environment HTTPS_PROXY of the service"},
		{name: "in small letters, without a scheme", environment: map[string]string{"https_proxy": "b:1"}, want: "http://b:1", origin: "environment https_proxy of the service"},
		{name: "a relay without TLS has the same", environment: map[string]string{"HTTPS_PROXY": "http://b:1"}, relay: "ws://relay.example.com",
			want: "http://b:1", origin: "environment HTTPS_PROXY of the service"},
		{name: "HTTP_PROXY is for others", environment: map[string]string{"HTTP_PROXY": "http://b:1"}},
		{name: "NO_PROXY", environment: map[string]string{"HTTPS_PROXY": "http://b:1", "NO_PROXY": "example.com"}, origin: "environment NO_PROXY of the service"},
		{name: "NO_PROXY is not the configuration's", config: configs.Proxy{URL: "http://a:3128"}, environment: map[string]string{"NO_PROXY": "*"},
			want: "http://a:3128", origin: "configuration"},
		{name: "no_proxy", config: configs.Proxy{URL: "http://a:3128", NoProxy: []string{"10.0.0.0/8", ".example.com"}}, origin: "configuration (proxy.no_proxy)"},
		{name: "no_proxy and the environment", config: configs.Proxy{NoProxy: []string{"*"}}, environment: map[string]string{"HTTPS_PROXY": "http://b:1"}, origin: "configuration (proxy.no_proxy)"},
		{name: "another host in no_proxy", config: configs.Proxy{URL: "http://a:3128", NoProxy: []string{"db.example.com"}}, want: "http://a:3128", origin: "configuration"},
		{name: "a relay on this machine", config: configs.Proxy{URL: "http://a:3128"}, relay: "ws://127.0.0.1:8480", want: "http://a:3128", origin: "configuration"},
		{name: "a relay on this machine, not", config: configs.Proxy{URL: "http://a:3128", NoProxy: []string{"127.0.0.1"}}, relay: "ws://127.0.0.1:8480", origin: "configuration (proxy.no_proxy)"},
		{name: "the system", system: fakeSystem{setting: Setting{"c:8080", "PAC http://wpad/wpad.dat"}}, want: "http://c:8080", origin: "PAC http://wpad/wpad.dat"},
		{name: "the system says direct", system: fakeSystem{setting: Setting{"", OriginWPAD}}, origin: OriginWPAD},
		{name: "the system cannot say", system: fakeSystem{err: errors.New("PAC http://x: gone")}, problem: "PAC http://x: gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &Places{Config: tt.config, System: tt.system, Environment: Environment{"the service", func(name string) string { return tt.environment[name] }}}
			if tt.relay == "" {
				tt.relay = "wss://relay.example.com"
			}
			relay, err := url.Parse(tt.relay)
			if err != nil {
				t.Fatal(err)
			}
			route, err := p.Route(relay)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if route.URL != nil {
				got = route.URL.String()
			}
			if got != tt.want || route.Origin != tt.origin || route.Problem != tt.problem {
				t.Errorf("%q from %q, problem %q", got, route.Origin, route.Problem)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("s3:cret\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	relay := &url.URL{Scheme: "wss", Host: "relay.example.com"}
	p, err := Here(configs.Proxy{URL: "http://a", Username: `PLANT\agent`, PasswordFile: file}, "the service")
	if err != nil {
		t.Fatal(err)
	}
	route, err := p.Route(relay)
	if err != nil {
		t.Fatal(err)
	}
	if password, _ := route.URL.User.Password(); route.URL.User.Username() != `PLANT\agent` || password != "s3:cret" {
		t.Errorf("login %v", route.URL.User)
	}
	if route.Address() != "a" {
		t.Errorf("address %q", route.Address())
	}
	if _, err := Here(configs.Proxy{PasswordFile: file + "x"}, "the service"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a password that is not there: %v", err)
	}
}

func TestUnusableProxies(t *testing.T) {
	for _, value := range []string{"http://user:s3cret@[::1", "http://user:s3cret@:bad", "%zz"} {
		for _, p := range []*Places{
			{Config: configs.Proxy{URL: value}, Environment: Environment{"x", func(string) string { return "" }}},
			{Environment: Environment{"the service", func(name string) string { return map[string]string{"HTTPS_PROXY": value}[name] }}},
		} {
			route, err := p.Route(&url.URL{Scheme: "wss", Host: "relay.example.com"})
			if err == nil || strings.Contains(err.Error(), "s3cret") || route.Origin == "" {
				t.Errorf("%s: %v, %v", value, route, err)
			}
		}
	}
}

func TestWinHTTPLists(t *testing.T) {
	for list, want := range map[string]string{
		"": "", "proxy:8080": "proxy:8080", "http=a:80;https=b:443": "b:443", "http=a:80": "", "HTTPS=B:443": "b:443",
		"a:80 b:80": "a:80", "ftp=c:21;a:80": "a:80", "https=http://b:443;x:1": "http://b:443",
	} {
		if got := named(list); got != want {
			t.Errorf("named(%q) = %q, want %q", list, got, want)
		}
	}
	for _, tt := range []struct {
		list, host string
		want       bool
	}{
		{"", "relay.example.com", false},
		{"*.example.com", "relay.example.com", true},
		{"<local>;*.plant.local", "relay.example.com", false},
		{"<local>", "relay", true},
		{"10.*;192.168.1.2", "10.2.3.4", true},
		{"https://RELAY.example.com", "relay.EXAMPLE.com", true},
		{"[", "relay.example.com", false},
	} {
		if got := skips(tt.list, tt.host); got != tt.want {
			t.Errorf("skips(%q, %q) = %v", tt.list, tt.host, got)
		}
	}
}

func FuzzWinHTTPLists(f *testing.F) {
	f.Add("http=a:80;https=b:443", "relay")
	f.Add("<local>;*.[", "x.y")
	f.Fuzz(func(t *testing.T, list, host string) {
		if got := named(list); strings.ContainsAny(got, "; \t\n=") {
			t.Errorf("named(%q) = %q", list, got)
		}
		skips(list, host)
	})
}
