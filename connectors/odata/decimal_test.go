package odata_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

// TestTrailingZeros: a decimal keeps its digits both ways, the zeros at its end as well: of a text, as version 2 writes it and version 4 where
// it is asked for IEEE754Compatible, and of a bare number. In a body it is a text, which version 4 takes under that same word alone.
func TestTrailingZeros(t *testing.T) {
	for _, value := range []string{"12.500", "0.00", "-7.10", "100", "90071992547409.930"} {
		for name, test := range map[string]struct{ dialect, set, id, column, native, filter, media string }{
			"v2":              {"v2", "Orders", `"Order":"1"`, "Total", `"` + value + `"`, "Total eq " + value + "M", "application/json"},
			"v4":              {"v4", "orders", `"number":"1"`, "total", `"` + value + `"`, "total eq " + value, "IEEE754Compatible=true"},
			"v4, bare number": {"v4", "orders", `"number":"1"`, "total", value, "total eq " + value, "IEEE754Compatible=true"},
		} {
			t.Run(name+" "+value, func(t *testing.T) {
				s := newService(t, test.dialect)
				record := fmt.Sprintf(`{%s,"%s":%s}`, test.id, test.column, test.native)
				list := map[string]string{"v2": `{"d":{"results":[%s]}}`, "v4": `{"value":[%s]}`}[test.dialect]
				s.answer("GET /svc/"+test.set, http.StatusOK, fmt.Sprintf(list, record))
				s.answer("POST /svc/"+test.set, http.StatusCreated, map[string]string{"v2": `{"d":` + record + `}`, "v4": record}[test.dialect])
				conn := s.open(t, nil)
				get := step(t, test.dialect, fmt.Sprintf(`{"get":"%s","columns":{"total":"%s"},"pages":{"by":"server"}}`, test.set, test.column))
				filters := []connectors.Filter{{Column: "total", Op: connectors.Equal, Values: []any{value}}}
				rows, err := collect(conn.Read(t.Context(), connectors.Read{Statement: get, Filters: filters}))
				if diff := cmp.Diff([]connectors.Row{{"total": value}}, rows); err != nil || diff != "" {
					t.Errorf("read: %v (-want +got):\n%s", err, diff)
				}
				if got := s.requests("GET /svc/" + test.set)[0]; !strings.Contains(got.line, "$filter="+test.filter+"&") || !strings.Contains(got.header.Get("Accept"), test.media) {
					t.Errorf("asked %s, accepts %s", got.line, got.header.Get("Accept"))
				}
				post := step(t, test.dialect, fmt.Sprintf(`{"post":"%s","body":{"%s":":total"},"result":{"total":"%s"}}`, test.set, test.column, test.column))
				effect, err := exec(t, conn, post, connectors.Vars{"total": value})
				if err != nil || effect.Row["total"] != value {
					t.Errorf("written: %v, %v", effect.Row, err)
				}
				sent := s.requests("POST")[0]
				if sent.body != fmt.Sprintf(`{"%s":"%s"}`, test.column, value) || !strings.Contains(sent.header.Get("Content-Type"), test.media) {
					t.Errorf("sent %s as %s", sent.body, sent.header.Get("Content-Type"))
				}
			})
		}
	}
}
