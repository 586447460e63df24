package odata_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

// guarded makes a service ask for a token against forged requests: one for each session, whose cookie must come with it.
func (s *service) guarded(route string, then http.HandlerFunc) (expire func()) {
	session := 1
	s.routes["GET /svc/"] = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-CSRF-Token") == "Fetch" {
			http.SetCookie(w, &http.Cookie{Name: "SID", Value: fmt.Sprint(session)})
			w.Header().Set("X-CSRF-Token", fmt.Sprint("token", session))
		}
		fmt.Fprint(w, `{"d":{}}`)
	}
	s.routes[route] = func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("SID")
		if err != nil || cookie.Value != fmt.Sprint(session) || r.Header.Get("X-CSRF-Token") != "token"+cookie.Value {
			w.Header().Set("X-CSRF-Token", "Required")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "CSRF token validation failed")
			return
		}
		then(w, r)
	}
	return func() { session++ }
}

const createV2 = `{"post":"Orders","body":{"Note":":note","Total":":total","OrderedOn":":day","Count":":count","to_Item":[{"$each":"lines","$do":{"Line":":index","Quantity":":quantity"}}]}}`

// TestForgery: the token is fetched when it is asked for, with its cookie; kept; and fetched again when the session went.
func TestForgery(t *testing.T) {
	s := newService(t, "v2")
	made := 0
	expire := s.guarded("POST /svc/Orders", func(w http.ResponseWriter, _ *http.Request) {
		made++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"d":{"__metadata":{"etag":"W/\"1\""},"Order":"%d"}}`, made)
	})
	conn := s.open(t, nil)
	vars := connectors.Vars{"note": `x", "Total": "0`, "total": "12.50", "day": nil, "count": int64(7), "lines": []connectors.Vars{{"index": int64(1), "quantity": "3"}}}
	for i := range 3 {
		if i == 2 {
			expire()
		}
		effect, err := exec(t, conn, step(t, "v2", createV2), vars)
		if err != nil {
			t.Fatal(err)
		}
		want := connectors.Effect{Affected: 1, Row: connectors.Row{"order": fmt.Sprint(i + 1), "etag": `W/"1"`}}
		if diff := cmp.Diff(want, effect); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if posts := s.requests("POST"); len(posts) != 5 || made != 3 {
		t.Errorf("%d requests made %d orders", len(posts), made)
	} else if want := `{"Count":"7","Note":"x\", \"Total\": \"0","OrderedOn":null,"Total":"12.50","to_Item":[{"Line":1,"Quantity":"3"}]}`; posts[4].body != want {
		t.Errorf("sent %s\nwant %s", posts[4].body, want)
	}
}

// TestForgeryEnds: a service that never takes its token ends the call, once tried again.
func TestForgeryEnds(t *testing.T) {
	s := newService(t, "v2")
	s.guarded("POST /svc/Orders", nil)
	s.answer("GET /svc/", http.StatusOK, `{"d":{}}`)
	conn := s.open(t, nil)
	_, err := exec(t, conn, step(t, "v2", `{"post":"Orders","body":{}}`), nil)
	if f := failure(t, err); f.Source["code"] != "csrf" || f.Sent && f.Kind == connectors.Lost {
		t.Errorf("%+v", f)
	}
	if posts := s.requests("POST"); len(posts) != 1 {
		t.Errorf("%d requests", len(posts))
	}
}

// TestRefusedLogin: a password that is refused is tried once, also by many at once.
func TestRefusedLogin(t *testing.T) {
	s := newService(t, "v2")
	s.answer("GET /svc/", http.StatusUnauthorized, "<html><title>Logon failed</title></html>")
	conn := s.open(t, nil)
	for range 3 {
		_, err := conn.Check(t.Context())
		if f := failure(t, err); f.Source["login"] != true || f.Message != "Logon failed" {
			t.Errorf("%+v", f)
		}
	}
	if all := s.requests(""); len(all) != 1 {
		t.Errorf("%d requests", len(all))
	}
}

// TestFaults: what the versions say of an error, and what it means.
func TestFaults(t *testing.T) {
	for name, test := range map[string]struct {
		dialect, body string
		status        int
		want          connectors.Failure
	}{
		"v2": {"v2", `{"error":{"code":"MM/123","message":{"lang":"en","value":"Supplier is blocked"},"innererror":{"errordetails":[
			{"code":"MM/9","message":"for your information","target":"Note","severity":"info"},{"code":"MM/123","message":"blocked","propertyref":"/Orders('1')/Supplier","severity":"error"}]}}}`, 400,
			connectors.Failure{Kind: connectors.Answered, Status: "400", Message: "Supplier is blocked", Source: map[string]any{"code": "MM/123", "field_codes": []any{"MM/123"}},
				Fields: []connectors.FieldFault{{Name: "supplier", Code: "MM/123", Message: "blocked"}}}},
		"v2 in XML": {"v2", `<?xml version="1.0"?><error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><code>005056</code><message xml:lang="en">No service found</message></error>`, 403,
			connectors.Failure{Kind: connectors.Answered, Status: "403", Message: "No service found", Source: map[string]any{"code": "005056", "field_codes": []any{}}}},
		"v4": {"v4", `{"error":{"code":"E1","message":"Two things","target":"number","details":[{"code":"E2","message":"too small","target":"/#TRANSIENT#/lines(1)/quantity"}]}}`, 422,
			connectors.Failure{Kind: connectors.Answered, Status: "422", Message: "Two things", Source: map[string]any{"code": "E1", "field_codes": []any{"E1", "E2"}},
				Fields: []connectors.FieldFault{{Name: "number", Code: "E1", Message: "Two things"}, {Name: "quantity", Code: "E2", Message: "too small"}}}},
		"a named 500 changed nothing": {"v4", `{"error":{"code":"DUP","message":"exists"}}`, 500,
			connectors.Failure{Kind: connectors.Answered, Status: "500", Message: "exists", Source: map[string]any{"code": "DUP", "field_codes": []any{}}}},
		"a 500 without a name may have": {"v4", "<html><title>Dump</title></html>", 500,
			connectors.Failure{Kind: connectors.Lost, Status: "500", Message: "Dump", Sent: true, Source: map[string]any{"code": "", "field_codes": []any{}}}},
		"an error under 200": {"v4", `{"error":{"code":"E1","message":"no"}}`, 200,
			connectors.Failure{Kind: connectors.Answered, Status: "200", Message: "no", Source: map[string]any{"code": "E1", "field_codes": []any{}}}},
		"a page under 200": {"v4", "<html>Log on</html>", 200,
			connectors.Failure{Kind: connectors.Lost, Status: "answer", Sent: true, Source: map[string]any{"code": "", "field_codes": []any{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, test.dialect)
			set := map[string]string{"v2": "Orders", "v4": "orders"}[test.dialect]
			s.answer("POST /svc/"+set, test.status, test.body)
			_, err := exec(t, s.open(t, nil), step(t, test.dialect, `{"post":"`+set+`","body":{}}`), nil)
			f := failure(t, err)
			got := connectors.Failure{Kind: f.Kind, Status: f.Status, Message: f.Message, Sent: f.Sent, Fields: f.Fields, Source: map[string]any{"code": f.Source["code"], "field_codes": f.Source["field_codes"]}}
			if strings.HasPrefix(got.Message, "the answer cannot be read") {
				got.Message = ""
			}
			if diff := cmp.Diff(test.want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Err" }, cmp.Ignore())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
