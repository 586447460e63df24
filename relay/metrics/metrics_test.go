package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"

	"gantry/tunnel"
)

// TestText reads the metrics as Prometheus does.
func TestText(t *testing.T) {
	m := New(Sources{
		Sessions: func() (int, int) { return 4, 2 }, Traffic: func() (int64, int64) { return 10, 20 }, Store: func() bool { return true },
		Arrivals: func() tunnel.Arrivals { return tunnel.Arrivals{tunnel.ArrivedSession: 5, tunnel.CodeRevoked: 1} },
	})
	m.Call("get", "OK", "", 1)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		"gantry_sessions 4", "gantry_agents_connected 2", "gantry_store_up 1",
		"gantry_tunnel_received_bytes_total 10", "gantry_tunnel_sent_bytes_total 20",
		`gantry_tunnel_arrivals_total{result="session"} 5`, `gantry_tunnel_arrivals_total{result="revoked"} 1`,
		`gantry_calls_total{code="OK",hop="",operation="get"} 1`,
	} {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
}
