package odata_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gantry/connectors"
)

const batchV4 = `{"batch":[{"patch":"orders(:id)","if_match":":etag","body":{"note":":note"}},{"each":"lines","post":"orders(:^id)/lines","body":{"quantity":":quantity"}}]}`

var batchVars = connectors.Vars{"id": "00000000-0000-4000-8000-000000000001", "etag": `W/"1"`, "note": "x\r\n--gantry-set--", "lines": []connectors.Vars{{"quantity": "1.50"}}}

// TestChangeSet: one member that failed, or that is missing, voids the group, whatever stands beside it.
func TestChangeSet(t *testing.T) {
	member := func(id int, status int, body string) string {
		return fmt.Sprintf(`{"id":"%d","status":%d,"headers":{},"body":%s}`, id, status, body)
	}
	failed := `{"error":{"code":"E1","message":"no such item"}}`
	multi := func(parts ...string) string {
		return "--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n\r\n--a--\r\n"
	}
	part := func(status int, body string) string {
		return fmt.Sprintf("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 %d X\r\nContent-Type: application/json\r\n\r\n%s", status, body)
	}
	for name, test := range map[string]struct {
		json  bool
		body  string
		kind  connectors.Kind // "": it succeeds
		words string
	}{
		"json":                         {true, `{"responses":[` + member(2, 201, `{"line":1}`) + `,` + member(1, 204, `null`) + `]}`, "", ""},
		"json: a 201 beside a failure": {true, `{"responses":[` + member(1, 201, `{"ID":"a"}`) + `,` + member(2, 400, failed) + `]}`, connectors.Answered, "no such item"},
		"json: the cause, not what it dragged along": {true, `{"responses":[` + member(1, 424, `{"error":{"code":"424","message":"dependency"}}`) + `,` + member(2, 400, failed) + `]}`, connectors.Answered, "no such item"},
		"json: an error under 201":                   {true, `{"responses":[` + member(1, 204, `null`) + `,` + member(2, 201, failed) + `]}`, connectors.Answered, "no such item"},
		"json: one is missing":                       {true, `{"responses":[` + member(1, 204, `null`) + `]}`, connectors.Lost, "1 of 2"},
		"json: none":                                 {true, `{}`, connectors.Lost, "cannot be read"},
		"multipart":                                  {false, multi(part(204, ""), part(201, `{"line":1}`)), "", ""},
		"multipart: 202, and the set failed":         {false, "--a\r\n" + part(400, failed) + "\r\n--a--\r\n", connectors.Answered, "no such item"},
		"multipart: one is missing":                  {false, multi(part(204, "")), connectors.Lost, "1 of 2"},
		"multipart: cut off":                         {false, "--a\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 20", connectors.Lost, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, "v4")
			s.routes["POST /svc/$batch"] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", map[bool]string{true: "application/json", false: "multipart/mixed; boundary=a"}[test.json])
				w.WriteHeader(map[bool]int{true: 200, false: 202}[test.json])
				fmt.Fprint(w, test.body)
			}
			protocol := map[string]any{"batch": map[bool]string{true: "json", false: "multipart"}[test.json]}
			effect, err := exec(t, s.open(t, protocol), step(t, "v4", batchV4), batchVars)
			if test.kind == "" {
				if err != nil || effect.Affected != 2 {
					t.Errorf("%+v, %v", effect, err)
				}
			} else if f := failure(t, err); f.Kind != test.kind || f.Sent != (test.kind == connectors.Lost) || !strings.Contains(f.Message, test.words) {
				t.Errorf("%+v", f)
			}
			sent := s.requests("POST /svc/$batch")[0].body
			if strings.Count(sent, "orders(00000000-0000-4000-8000-000000000001)/lines") != 1 || !strings.Contains(sent, `"1.50"`) || !test.json && strings.Count(sent, "--gantry-set\r\n") != 2 {
				t.Errorf("sent %s", sent)
			}
		})
	}
}

// TestCompile: a fault of a definition is named.
func TestCompile(t *testing.T) {
	for text, want := range map[string]string{
		`{"get":"Orders","filter":"a eq 1&$top=5"}`: "one condition", `{"get":"Orders(:a,:b)"}`: "its property's name", `{"get":"../x"}`: "no segment",
		`{"get":"Orders","query":{"$filter":":x"}}`: "options of OData", `{"get":"Orders","columns":{"X":"Y"}}`: "lower-case", `{"get":"Orders","colums":{}}`: `no member "colums"`,
		`{"post":"Orders","get":"Orders"}`: "one of", `{"delete":"Orders(1)","body":{}}`: "a delete has none", `{"batch":[{"get":"Orders"}]}`: "calls alone",
		`{"post":"Orders(:^x)"}`: "member of a list", `{}`: "one of get", `{"get":"Orders('a''b')"}`: "no key",
	} {
		native := map[string]any{}
		decode(t, text, &native)
		if _, err := (driver).Compile("v2", native); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; expected %q", text, err, want)
		}
	}
}
