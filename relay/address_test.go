package relay

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	tests := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"nobody forwards", "10.0.0.1:5", nil, "10.0.0.1:5"},
		{"a stranger may claim nothing", "203.0.113.9:5", []string{"1.1.1.1"}, "203.0.113.9:5"},
		{"our proxy names the caller", "10.0.0.1:5", []string{"198.51.100.7"}, "198.51.100.7:5"},
		{"what the caller itself wrote is passed over", "10.0.0.1:5", []string{"1.1.1.1, 198.51.100.7"}, "198.51.100.7:5"},
		{"a chain of ours", "10.0.0.1:5", []string{"198.51.100.7, 10.0.0.2", "10.0.0.3"}, "198.51.100.7:5"},
		{"nonsense ends the chain", "10.0.0.1:5", []string{"198.51.100.7, unknown"}, "10.0.0.1:5"},
		{"an IPv4 proxy on an IPv6 socket", "[::ffff:10.0.0.1]:5", []string{"2001:db8::1"}, "[2001:db8::1]:5"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &Relay{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
			request := httptest.NewRequest("GET", "/", nil)
			request.RemoteAddr = test.peer
			request.Header["X-Forwarded-For"] = test.forwarded
			var got string
			r.addressed(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { got = req.RemoteAddr })).ServeHTTP(httptest.NewRecorder(), request)
			if got != test.want {
				t.Errorf("address %s, want %s", got, test.want)
			}
		})
	}
}
