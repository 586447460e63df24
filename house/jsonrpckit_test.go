package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/engine"
	"gantry/tunnel/fault"
)

// wms is an in-house system of JSON-RPC as docs/connectors.md has one, to run that page's definition against.
type wms struct {
	*httptest.Server
	mu     sync.Mutex
	items  []map[string]any
	tokens int // that were handed out; the last one is good
	logins int // that were tried
	status int // of the next answer, in place of all else
	code   int // of the fault that the next answer is
}

func newWMS(t *testing.T) *wms {
	w := &wms{}
	for i := 1; i <= 25; i++ {
		w.items = append(w.items, map[string]any{
			"id": i, "no": fmt.Sprintf("I-%02d", i), "name": fmt.Sprintf("Item %d", i), "group": []string{"raw", "part"}[i%2], "cost": json.Number("1.50"),
			"changed": time.Date(2026, 3, 1, 6, i, 0, 0, time.UTC).Format(time.RFC3339),
		})
	}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

type rpcFault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (w *wms) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var call struct {
		ID     json.RawMessage
		Method string
		Params map[string]any
	}
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber() // 12.500 stays that
	_ = decoder.Decode(&call)
	if w.status != 0 {
		out.WriteHeader(w.status)
		w.status = 0
		return
	}
	answer := map[string]any{"jsonrpc": "2.0", "id": call.ID}
	if result, failed := w.run(call.Method, call.Params, r.Header.Get("Authorization")); failed != nil {
		answer["error"] = failed
	} else {
		answer["result"] = result
	}
	_ = json.NewEncoder(out).Encode(answer)
}

func (w *wms) run(method string, params map[string]any, login string) (any, *rpcFault) {
	if method == "session.open" {
		w.logins++
		if params["user"] != "gantry" || params["password"] != "s3cret" {
			return nil, &rpcFault{-32001, "Who are you?"}
		}
		w.tokens++
		return map[string]any{"token": fmt.Sprint("t", w.tokens)}, nil
	}
	if login != fmt.Sprint("Bearer t", w.tokens) {
		return nil, &rpcFault{-32001, "Session is over"}
	}
	if code := w.code; code != 0 {
		w.code = 0
		return nil, &rpcFault{code, "because"}
	}
	switch method {
	case "system.version":
		return "3.4", nil
	case "item.list":
		return w.list(params), nil
	case "item.create":
		for _, item := range w.items {
			if item["no"] == params["no"] {
				return nil, &rpcFault{17, fmt.Sprint(params["no"])}
			}
		}
		params["id"], params["changed"] = len(w.items)+1, "2026-04-01T00:00:00Z"
		w.items = append(w.items, params)
		return map[string]any{"id": params["id"]}, nil
	case "item.change":
		for _, item := range w.items {
			if fmt.Sprint(item["id"]) == fmt.Sprint(params["id"]) {
				item["name"] = params["name"]
				return map[string]any{"changed": 1}, nil
			}
		}
		return map[string]any{"changed": 0}, nil
	}
	return nil, &rpcFault{-32601, "Method not found"}
}

func (w *wms) list(params map[string]any) any {
	found := []map[string]any{}
	for _, item := range w.items {
		if group := params["group"]; group != nil && group != item["group"] {
			continue
		}
		if key := params["key"]; key != nil && key != item["key"] {
			continue
		}
		found = append(found, item)
	}
	from, _ := params["from"].(json.Number).Int64()
	most, _ := params["most"].(json.Number).Int64()
	page := found[min(from, int64(len(found))):]
	return map[string]any{"items": page[:min(most, 10, int64(len(page)))], "count": len(found)}
}

func (w *wms) desk(t *testing.T, password string) *desk {
	t.Helper()
	target := connectors.Target{
		Settings:    map[string]any{"address": w.URL + "/rpc", "login": "session", "username": "gantry"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret(password)}, Dial: dialDirect,
	}
	return openDesk(t, "our-wms", target, shown(t, "A system that is called by method"))
}

// TestJSONRPCKit runs the definition of docs/connectors.md.
func TestJSONRPCKit(t *testing.T) {
	w := newWMS(t)
	d := w.desk(t, "s3cret")
	if info, err := d.engine.Check(t.Context()); err != nil || info.Version != "3.4" {
		t.Fatalf("%+v, %v", info, err)
	}
	for query, want := range map[string]int{"limit=4": 25, "category=raw": 12, "number=I-07": 1, "modified_after=2026-03-01T06:20:00Z": 5} {
		if got := list(t, d, "items", query); len(got) != want {
			t.Errorf("%s: %d records, expected %d", query, len(got), want)
		}
	}
	w.mu.Lock()
	w.tokens++ // the session ends, and a new one is opened
	w.mu.Unlock()
	create := engine.Write{Entity: "items", Operation: "create", IdempotencyKey: "k1"}
	made := d.must(t, create, `{"number":"N-1","name":"Größe","unit_cost":"12.500"}`)
	expect(t, made, map[string]any{"number": "N-1", "name": "Größe", "unit_cost": "12.500"})
	expect(t, d.must(t, create, `{"number":"N-1","name":"Größe","unit_cost":"12.500"}`), map[string]any{"id": made["id"]})
	d.refuses(t, fault.Duplicate, engine.Write{Entity: "items", Operation: "create", IdempotencyKey: "k2"}, `{"number":"N-1","name":"again"}`)
	update := engine.Write{Entity: "items", Operation: "update", ID: made["id"].(string)}
	expect(t, d.must(t, update, `{"name":"second"}`), map[string]any{"name": "second"})
	if w.logins != 2 {
		t.Errorf("%d logins", w.logins)
	}
}

// TestJSONRPCKitFaults shows what codes and statuses mean in the kit's layer.
func TestJSONRPCKitFaults(t *testing.T) {
	w := newWMS(t)
	d := w.desk(t, "s3cret")
	for _, test := range []struct {
		status, code int
		want         fault.Code
		scope        fault.Scope
	}{
		{0, -32601, fault.OperationNotSupported, fault.ScopeEntity},
		{0, -32602, fault.ValidationFailed, fault.ScopeRecord},
		{0, -32700, fault.SystemError, fault.ScopeEntity},
		{429, 0, fault.SystemRateLimited, fault.ScopeConnection},
		{403, 0, fault.PermissionDenied, fault.ScopeEntity},
		{404, 0, fault.SystemError, fault.ScopeConnection},
		{302, 0, fault.SystemError, fault.ScopeConnection},
		{503, 0, fault.SystemUnreachable, fault.ScopeConnection},
	} {
		if _, err := d.engine.List(t.Context(), "items", engine.Query{}); err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.status, w.code = test.status, test.code
		w.mu.Unlock()
		_, err := d.engine.List(t.Context(), "items", engine.Query{})
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != test.want || f.Scope != test.scope {
			t.Errorf("%d %d: %+v", test.status, test.code, f)
		}
	}
	wrong, before := w.desk(t, "wr0ng"), w.logins
	for range 3 {
		_, err := wrong.engine.Check(t.Context())
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.CredentialsExpired || f.Scope != fault.ScopeConnection {
			t.Errorf("a wrong password: %+v", f)
		}
	}
	if w.logins != before+1 {
		t.Errorf("it was tried %d times", w.logins-before)
	}
}
