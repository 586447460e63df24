package odata_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/engine"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"

	"github.com/google/go-cmp/cmp"
)

const overlaidYAML = `apiVersion: connector/v1
metadata: {id: desk, version: 1.0.0, product: Desk, extends: [base/odata-v2]}
protocol: {service: /svc, pages: {by: server}}
entities:
  purchase-orders:
    key: [{column: order, type: string}]
    operations:
      list: {get: Orders, filters: [number]}
      update:
        patch: Orders(:order)
        body: {Note: ":title", $custom: true}
    fields:
      number: {from: order}
      title: {from: note, write: [update]}
`

// TestOverlay maps properties that a plant added (SAP calls its YY1_…) over a definition that does not name them: they are read, filtered and
// written as the definition's own are.
func TestOverlay(t *testing.T) {
	s := newService(t, "v2")
	record := map[string]any{"Order": "1", "Note": "n", "YY1_CostCentre_PDH": "4711", "YY1_Weight_PDH": "1.500"}
	s.routes["GET /svc/Orders"] = func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"d": map[string]any{"results": []any{record}}})
	}
	s.routes["PATCH /svc/Orders('1')"] = func(w http.ResponseWriter, _ *http.Request) {
		sent := s.requests("PATCH")
		_ = json.Unmarshal([]byte(sent[len(sent)-1].body), &record)
		w.WriteHeader(http.StatusNoContent)
	}
	set, err := definition.Load(catalogue.FS, fstest.MapFS{"desk.yaml": {Data: []byte(overlaidYAML)}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := definition.Compile(set.Lookup("desk"), []connectors.Driver{driver})
	if err != nil {
		t.Fatal(err)
	}
	program, err = program.Over(wire.Overlay{Entities: map[string]wire.OverlayEntity{"purchase-orders": {CustomFields: map[string]wire.OverlayField{
		"cost_centre": {From: "YY1_CostCentre_PDH", Type: "string", Native: "string", Write: []string{"update"}, Filterable: true},
		"weight":      {From: "YY1_Weight_PDH", Type: "decimal", Native: "decimal", Write: []string{"update"}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	target := s.target(t, nil)
	e, err := engine.Open(t.Context(), program, engine.Options{Connection: "con_1", CursorKey: []byte("0123456789abcdef"), Settings: target.Settings, Credentials: target.Credentials})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })

	found, err := e.Discover(t.Context(), "purchase-orders")
	if err != nil || !found.Allowed || !cmp.Equal(found.Writable, []string{"update"}) {
		t.Fatalf("%+v, %v", found, err)
	}
	mapped := map[string]string{}
	for _, c := range found.Columns {
		mapped[c.Name] = c.CustomField
	}
	if mapped["YY1_CostCentre_PDH"] != "cost_centre" || mapped["YY1_Weight_PDH"] != "weight" {
		t.Errorf("discovered %v", mapped)
	}
	page, err := e.List(t.Context(), "purchase-orders", engine.Query{Params: map[string][]string{"cost_centre": {"4711"}}})
	if err != nil || len(page.Data) != 1 || !strings.Contains(string(page.Data[0].JSON), `"custom_fields":{"cost_centre":"4711","weight":"1.500"}`) {
		t.Fatalf("%+v, %v", page, err)
	}
	lists := s.requests("GET /svc/Orders")
	if line := lists[len(lists)-1].line; !strings.Contains(line, "YY1_CostCentre_PDH eq '4711'") {
		t.Errorf("asked %s", line)
	}
	body, err := connectors.DecodeBody([]byte(`{"title":"n","custom_fields":{"weight":"2.750"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(t.Context(), engine.Write{Entity: "purchase-orders", Operation: "update", ID: "1", Body: body}); err != nil {
		t.Fatal(err)
	}
	if got, want := s.requests("PATCH")[0].body, `{"Note":"n","YY1_CostCentre_PDH":"4711","YY1_Weight_PDH":"2.750"}`; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}

	// The property goes, and comes back: either is known from the service's metadata, without a new login.
	metadata, err := os.ReadFile("testdata/v2.xml")
	if err != nil {
		t.Fatal(err)
	}
	s.answer("GET /svc/$metadata", http.StatusOK, strings.ReplaceAll(string(metadata), "YY1_Weight_PDH", "YY1_Mass_PDH"))
	if found, err := e.Discover(t.Context(), "purchase-orders"); err != nil || strings.Contains(fmt.Sprint(found.Columns), "YY1_Weight_PDH") {
		t.Errorf("what went is still discovered: %+v, %v", found, err)
	}
	_, err = e.List(t.Context(), "purchase-orders", engine.Query{})
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.SystemError || f.Scope != fault.ScopeEntity || !strings.Contains(f.Detail, `"YY1_Weight_PDH"`) {
		t.Errorf("a list of what went: %+v", f)
	}
	s.answer("GET /svc/$metadata", http.StatusOK, string(metadata))
	if _, err := e.Discover(t.Context(), "purchase-orders"); err != nil {
		t.Error(err)
	}
	if _, err := e.List(t.Context(), "purchase-orders", engine.Query{}); err != nil {
		t.Errorf("after it came back: %v", err)
	}
}
