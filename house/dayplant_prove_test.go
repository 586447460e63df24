//go:build prove

package house

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// busyERP is an ERP over HTTP that can ask for fewer calls.
type busyERP struct {
	*httptest.Server
	busy atomic.Bool
}

func openBusyERP(t *testing.T) *busyERP {
	t.Helper()
	e := &busyERP{}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *busyERP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct{ Method string }
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		http.Error(w, "no call", http.StatusBadRequest)
		return
	}
	if e.busy.Load() {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many calls", http.StatusTooManyRequests)
		return
	}
	result := "null"
	switch {
	case call.Method == "common.db.login":
		result = `[7,"session"]`
	case strings.HasSuffix(call.Method, "get_preferences"):
		result = `{"company":1}`
	case strings.HasSuffix(call.Method, "get_access"):
		result = `{"part":{"read":1,"write":1,"create":1,"delete":1}}`
	case strings.HasSuffix(call.Method, "search_read"):
		result = `[{"id":1,"name":"Bolt"}]`
	}
	_, _ = fmt.Fprintf(w, `{"id":1,"result":%s}`, result)
}

// heard lists the messages about a connection.
func (r *receiver) heard(of *lived) []string {
	var all []string
	for _, m := range r.messages() {
		if m.Data["connection_id"] == of.id {
			data, err := json.Marshal(m.Data)
			if err != nil {
				r.t.Error(err)
			}
			all = append(all, m.Type+" "+string(data))
		}
	}
	return all
}
