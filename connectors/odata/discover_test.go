package odata_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

func discover(t *testing.T, conn connectors.Conn, d connectors.Discovery) (connectors.Findings, error) {
	t.Helper()
	d.Limit = max(d.Limit, 1)
	return conn.(connectors.Discoverer).Discover(t.Context(), d)
}

// named gives what was found by its name.
func named(all connectors.Findings) map[string]connectors.Found {
	out := map[string]connectors.Found{}
	for _, c := range all.Columns {
		out[c.Name] = c
	}
	return out
}

// TestDiscover: what metadata describes and no field comes from, with types, labels, and how many records have a value.
func TestDiscover(t *testing.T) {
	s := newService(t, "v2")
	s.answer("GET /svc/Orders", http.StatusOK, `{"d":{"results":[
		{"Order":"1","Note":"a","YY1_CostCentre_PDH":"4711","YY1_CheckedOn_PDH":"/Date(1774742400000)/","YY1_Weight_PDH":"1.500","CreatedByUser":"ANN"},
		{"Order":"2","Note":"b","YY1_CostCentre_PDH":"","YY1_CheckedOn_PDH":null,"YY1_Weight_PDH":"0.000","CreatedByUser":"BOB"}]}}`)
	conn := s.open(t, nil)
	list := step(t, "v2", `{"get":"Orders","columns":{"city":"Address/City","vendor":"to_Vendor/Name"},"pages":{"by":"server"}}`)
	used := []string{"order", "note", "total", "orderedon", "changedat", "changedtime", "handle", "count", "closed", "city", "vendor", "etag"}
	got, err := discover(t, conn, connectors.Discovery{Statement: step(t, "v2", `{"discover":{}}`), List: list, Used: used, Limit: 500})
	want := connectors.Findings{Records: 2, Columns: []connectors.Found{
		{Name: "CreatedByUser", Type: "Edm.String", Native: "string", ReadOnly: true, Filled: 2},
		{Name: "Photo", Type: "Edm.Binary"},
		{Name: "YY1_CheckedOn_PDH", Type: "Edm.DateTime", Native: "date", Title: "Checked on", Filled: 1},
		{Name: "YY1_CostCentre_PDH", Type: "Edm.String", Native: "string", Title: "Cost centre", Filled: 1},
		{Name: "YY1_Weight_PDH", Type: "Edm.Decimal", Native: "decimal", Filled: 2},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if line := s.requests("GET /svc/Orders")[0].line; strings.Contains(line, "$select") || !strings.Contains(line, "$top=20") {
		t.Errorf("asked %s", line)
	}
	if got, err := discover(t, conn, connectors.Discovery{List: list, Used: used, Limit: 2}); err != nil || len(got.Columns) != 2 || !got.More {
		t.Errorf("more than the limit: %+v, %v", got, err)
	}
}

// TestDiscoverV4: inherited and annotated properties, and the types that no field holds.
func TestDiscoverV4(t *testing.T) {
	s := newService(t, "v4")
	s.answer("GET /svc/orders", http.StatusBadRequest, `{"error":{"code":"E","message":"select something"}}`)
	got, err := discover(t, s.open(t, nil), connectors.Discovery{List: step(t, "v4", `{"get":"orders"}`), Used: []string{"number"}, Limit: 500})
	if err != nil || got.Records != 0 {
		t.Fatalf("a service that gives no whole records: %+v, %v", got, err)
	}
	want := map[string]connectors.Found{
		"ID":             {Name: "ID", Type: "Edm.Guid", Native: "string"},
		"YY1_CostCentre": {Name: "YY1_CostCentre", Type: "Edm.String", Native: "string", Title: "Cost centre"},
		"address":        {Name: "address", Type: "com.example.desk.Address"},
		"changedAt":      {Name: "changedAt", Type: "Edm.DateTimeOffset", Native: "instant"},
		"createdBy":      {Name: "createdBy", Type: "Edm.String", Native: "string", Title: "Made by", ReadOnly: true},
		"note":           {Name: "note", Type: "Edm.String", Native: "string"},
		"orderedOn":      {Name: "orderedOn", Type: "Edm.Date", Native: "date"},
		"status":         {Name: "status", Type: "com.example.desk.Status", Native: "string"},
		"tags":           {Name: "tags", Type: "Collection(Edm.String)"},
		"total":          {Name: "total", Type: "com.example.desk.Amount", Native: "decimal"},
	}
	if diff := cmp.Diff(want, named(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	lines, err := discover(t, s.open(t, nil), connectors.Discovery{List: step(t, "v4", `{"get":"orders","each":"lines","columns":{"order":"^ID"}}`), Used: []string{"line"}, Limit: 500})
	if diff := cmp.Diff(map[string]connectors.Found{"quantity": {Name: "quantity", Type: "Edm.Decimal", Native: "decimal"}}, named(lines)); err != nil || diff != "" {
		t.Errorf("of related records: %v (-want +got):\n%s", err, diff)
	}
}

// TestExtended reads, filters and writes properties that the definition does not name.
func TestExtended(t *testing.T) {
	s := newService(t, "v2")
	s.answer("GET /svc/Orders", http.StatusOK, `{"d":{"results":[{"Order":"1","YY1_CostCentre_PDH":"4711","YY1_CheckedOn_PDH":"/Date(1774742400000)/","YY1_Weight_PDH":"1.500"}]}}`)
	s.answer("POST /svc/Orders", http.StatusCreated, `{"d":{"Order":"2"}}`)
	conn := s.open(t, nil)
	x := connectors.Extension{Dialect: "v2", Columns: []connectors.Extra{
		{Name: "YY1_CostCentre_PDH", Alias: "x_centre", Native: "string"}, {Name: "YY1_CheckedOn_PDH", Alias: "x_checked", Native: "date"}, {Name: "YY1_Weight_PDH", Alias: "x_weight", Native: "decimal"},
	}}
	native := map[string]any{"get": "Orders", "pages": map[string]any{"by": "server"}}
	wider, compares, err := driver.ExtendQuery(x, native)
	if err != nil || !compares || len(native) != 2 {
		t.Fatalf("%v, %v; the definition's own is %v", compares, err, native)
	}
	list, err := driver.Compile("v2", wider)
	if err != nil {
		t.Fatal(err)
	}
	list = list.(connectors.Selective).Select([]string{"order"})
	day := time.UnixMilli(1774742400000).UTC()
	filters := []connectors.Filter{{Column: "x_centre", Op: connectors.Equal, Values: []any{"4711"}}}
	rows, err := collect(conn.Read(t.Context(), connectors.Read{Statement: list, Filters: filters}))
	if diff := cmp.Diff([]connectors.Row{{"order": "1", "x_centre": "4711", "x_checked": day, "x_weight": "1.500"}}, rows); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if line := s.requests("GET /svc/Orders")[0].line; !strings.Contains(line, "$filter=YY1_CostCentre_PDH eq '4711'&") || !strings.Contains(line, "YY1_Weight_PDH") {
		t.Errorf("asked %s", line)
	}
	var create map[string]any
	decode(t, `{"post":"Orders","body":{"Note":":note","$custom?":true,"to_Item":[{"$each":"lines","$do":{"Line":":index"}}]}}`, &create)
	steps, after, err := driver.ExtendWrite(x, []map[string]any{create})
	if err != nil || len(after) != 0 {
		t.Fatalf("%v, %v", after, err)
	}
	post, err := driver.Compile("v2", steps[0])
	if err != nil {
		t.Fatal(err)
	}
	vars := connectors.Vars{"note": "n", "x_centre": `47'11"`, "x_checked": day, "x_weight": nil, "lines": []connectors.Vars{{"index": int64(1)}}}
	if _, err := exec(t, conn, post, vars); err != nil {
		t.Fatal(err)
	}
	want := `{"Note":"n","YY1_CheckedOn_PDH":"/Date(1774742400000)/","YY1_CostCentre_PDH":"47'11\"","to_Item":[{"Line":1}]}`
	if got := s.requests("POST")[0].body; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
}

// TestExtendedRefused: names that could become more than a name, and bodies without a place.
func TestExtendedRefused(t *testing.T) {
	for _, name := range []string{"a b", "a eq 1", "to_Vendor/Name", "^Order", "", "a'"} {
		x := connectors.Extension{Columns: []connectors.Extra{{Name: name, Alias: "x_a", Native: "string"}}}
		if _, _, err := driver.ExtendQuery(x, map[string]any{"get": "Orders"}); err == nil {
			t.Errorf("%q was taken into a query", name)
		}
		if _, _, err := driver.ExtendWrite(x, []map[string]any{{"post": "Orders", "body": map[string]any{"$custom": true}}}); err == nil {
			t.Errorf("%q was taken into a body", name)
		}
	}
	x := connectors.Extension{Columns: []connectors.Extra{{Name: "a", Alias: "x_a", Native: "string"}}}
	if _, _, err := driver.ExtendWrite(x, []map[string]any{{"post": "Orders", "body": map[string]any{"Note": ":note"}}}); err == nil || !strings.Contains(fmt.Sprint(err), "$custom") {
		t.Errorf("a body without a place: %v", err)
	}
	if _, err := driver.Compile("v2", map[string]any{"discover": map[string]any{"set": "Orders"}}); err == nil {
		t.Error("members of discover were taken")
	}
}
