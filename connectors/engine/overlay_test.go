package engine_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	sqldriver "gantry/connectors/sql"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// foundYAML is the plant, which says where further columns are found.
var foundYAML = strings.Replace(plantYAML, "    version: {column: rev, type: integer}\n", "    version: {column: rev, type: integer}\n    discover: {table: po}\n", 1)

// added are columns that somebody added to the plant's table.
const added = `ALTER TABLE po ADD "Shelf Life" INTEGER; ALTER TABLE po ADD Weight NUMERIC; ALTER TABLE po ADD PackedOn DATE; ALTER TABLE po ADD photo BLOB;
	ALTER TABLE po ADD Fragile BOOLEAN DEFAULT 1; ALTER TABLE po ADD twice INTEGER GENERATED ALWAYS AS (vendor * 2) VIRTUAL;`

// overlaid opens the plant with an overlay.
func overlaid(t *testing.T, o wire.Overlay, statements ...string) *plant {
	t.Helper()
	p := newPlantOf(t, foundYAML, append([]string{added}, statements...)...)
	program, err := p.program.Over(o)
	if err != nil {
		t.Fatal(err)
	}
	p.Engine = p.openProgram(program, "con_1")
	return p
}

// shelf maps all that can be mapped.
func shelf() wire.Overlay {
	both := []string{"create", "update"}
	return wire.Overlay{Entities: map[string]wire.OverlayEntity{"purchase-orders": {CustomFields: map[string]wire.OverlayField{
		"shelf_life": {From: "Shelf Life", Type: "integer", Native: "integer", Write: both, Filterable: true},
		"weight":     {From: "Weight", Type: "decimal", Native: "decimal", Write: []string{"update"}},
		"packed_on":  {From: "PackedOn", Type: "date", Native: "date", Write: both},
		"fragile":    {From: "Fragile", Type: "boolean", Native: "boolean", Write: both},
		"reference":  {From: "ext_ref", Type: "string", Native: "string"},
	}}}}
}

func TestDiscover(t *testing.T) {
	p := overlaid(t, shelf(), orders("30"), `UPDATE po SET "Shelf Life" = 5 WHERE po_id <= 3`)
	got, err := p.Discover(t.Context(), "purchase-orders")
	if err != nil {
		t.Fatal(err)
	}
	want := wire.DiscoveredEntity{
		OverlayCapability: wire.OverlayCapability{Verdict: wire.Verdict{Allowed: true}, Writable: []string{"create", "update"}},
		Records:           20,
		Columns: []wire.DiscoveredColumn{
			{Name: "ext_ref", NativeType: "TEXT", Native: "string", Types: []string{"string", "text", "decimal", "integer"}, CustomField: "reference"},
			{Name: "Shelf Life", NativeType: "INTEGER", Native: "integer", Types: []string{"integer", "decimal", "boolean", "string"}, Filled: 3, CustomField: "shelf_life"},
			{Name: "Weight", NativeType: "NUMERIC", Native: "decimal", Types: []string{"decimal", "string"}, CustomField: "weight"},
			{Name: "PackedOn", NativeType: "DATE", Native: "date", Types: []string{"date"}, CustomField: "packed_on"},
			{Name: "photo", NativeType: "BLOB"},
			{Name: "Fragile", NativeType: "BOOLEAN", Native: "boolean", Types: []string{"boolean"}, Filled: 20, CustomField: "fragile"},
			{Name: "twice", NativeType: "INTEGER", Native: "integer", Types: []string{"integer", "decimal", "boolean", "string"}, ReadOnly: true, Filled: 20},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	stock, err := p.Discover(t.Context(), "inventory")
	if err != nil || stock.Allowed || stock.DeniedBy != wire.ByDefinition || !strings.Contains(stock.Reason, "does not say where") {
		t.Errorf("inventory: %+v %v", stock, err)
	}
}

func TestOverlayReads(t *testing.T) {
	p := overlaid(t, shelf(), orders("30"), `UPDATE po SET "Shelf Life" = po_id % 4, Weight = '2.50', PackedOn = '2026-03-01' WHERE po_id > 10`)
	page, err := p.list("shelf_life=3&limit=3")
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Data) != 3 || !page.HasMore {
		t.Fatalf("%d records", len(page.Data))
	}
	custom := decode(t, page.Data[0].JSON)["custom_fields"]
	if d := cmp.Diff(map[string]any{"colour": nil, "shelf_life": 3.0, "weight": "2.5", "packed_on": "2026-03-01", "fragile": true, "reference": nil}, custom); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, bad := range []string{"weight=2", "shelf_life=long"} {
		if _, err := p.list(bad); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	page, err = p.list("fields=number,weight&limit=1")
	if err != nil || string(page.Data[0].JSON) != `{"id":"1","number":"PO-1","etag":"1","custom_fields":{"weight":null}}` {
		t.Errorf("%s %v", page.Data[0].JSON, err)
	}
	can := p.Capabilities().Entities["purchase-orders"]
	if f := can.Fields["custom_fields.shelf_life"]; !f.Filterable || f.Type != "integer" || len(f.Writable) != 2 || !can.Overlay.Allowed {
		t.Errorf("%+v %+v", f, can.Overlay)
	}
}

func TestOverlayWrites(t *testing.T) {
	p := overlaid(t, shelf(), orders("3"))
	made, err := p.Write(t.Context(), p.write("create", "", `{"number":"N1","vendor_id":"2","custom_fields":{"shelf_life":30,"packed_on":"2026-06-01"}}`, "k1"))
	if err != nil {
		t.Fatal(err)
	}
	record := decode(t, made.Record.JSON)["custom_fields"].(map[string]any)
	if record["shelf_life"] != 30.0 || record["packed_on"] != "2026-06-01" || record["fragile"] != true {
		t.Errorf("a value that was sent is not there, or the column's default is gone: %v", record)
	}
	if n := p.count(`SELECT count(*) FROM po WHERE po_no = 'N1' AND "Shelf Life" = 30 AND typeof("Shelf Life") = 'integer' AND Fragile = 1`); n != 1 {
		t.Error("the database does not show it")
	}
	changed, err := p.Write(t.Context(), p.write("update", made.Record.ID, `{"custom_fields":{"weight":"1.25","shelf_life":null}}`, ""))
	if err != nil {
		t.Fatal(err)
	}
	record = decode(t, changed.Record.JSON)["custom_fields"].(map[string]any)
	if record["weight"] != "1.25" || record["shelf_life"] != nil || record["packed_on"] != "2026-06-01" {
		t.Errorf("%v", record)
	}
	dry := p.write("update", made.Record.ID, `{"custom_fields":{"weight":"2"}}`, "")
	dry.DryRun = true
	if r, err := p.Write(t.Context(), dry); err != nil || !strings.Contains(string(r.Record.JSON), "custom field weight") || strings.Contains(string(r.Record.JSON), "custom field shelf_life") {
		t.Errorf("%s %v", r.Record.JSON, err)
	}
	for body, want := range map[string]fault.Code{
		`{"custom_fields":{"reference":"x"}}`:        fault.FieldNotUpdatable,
		`{"custom_fields":{"shelf_life":"long"}}`:    fault.ValidationFailed,
		`{"custom_fields":{"Shelf Life":1}}`:         fault.InvalidRequest,
		`{"custom_fields":{"packed_on":"tomorrow"}}`: fault.ValidationFailed,
	} {
		_, err := p.Write(t.Context(), p.write("update", made.Record.ID, body, ""))
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != want || len(f.Fields) != 1 || !strings.HasPrefix(f.Fields[0].Name, "custom_fields.") {
			t.Errorf("%s: %v %+v", body, err, f)
		}
	}
}

// TestOverlayNeverBecomesSQL: what could leave its quotes is refused before a statement is made of it.
func TestOverlayNeverBecomesSQL(t *testing.T) {
	p := newPlantOf(t, foundYAML)
	for name, o := range map[string]wire.OverlayField{
		"a quote":     {From: `a" = 1; DROP TABLE po; --`, Type: "string", Native: "string"},
		"a backtick":  {From: "a`b", Type: "string", Native: "string"},
		"a bracket":   {From: "a]b", Type: "string", Native: "string"},
		"a semicolon": {From: "a;b", Type: "string", Native: "string"},
		"nothing":     {From: "", Type: "string", Native: "string"},
		"unseen":      {From: "a\u202eb", Type: "string", Native: "string"},
	} {
		_, err := p.program.Over(wire.Overlay{Entities: map[string]wire.OverlayEntity{"purchase-orders": {CustomFields: map[string]wire.OverlayField{"x": o}}}})
		if _, ok := errors.AsType[definition.Problems](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err := sqldriver.Driver{}.ExtendWrite(connectors.Extension{Dialect: "sqlite", Discover: map[string]any{"table": "po"}, Key: []string{"po_id"},
		Columns: []connectors.Extra{{Name: `a"b`, Alias: "x_a"}}}, nil)
	if err == nil {
		t.Error("the driver itself takes a quote")
	}
}

// TestOverlayFits refuses what no definition has room for, with the place.
func TestOverlayFits(t *testing.T) {
	p := newPlantOf(t, foundYAML, added)
	column := wire.OverlayField{From: "Weight", Type: "decimal", Native: "decimal"}
	for name, test := range map[string]struct {
		entity, field string
		column        wire.OverlayField
		want          string
	}{
		"no entity":          {"assets", "weight", column, `no entity "assets"`},
		"no room":            {"inventory", "weight", column, "does not say where"},
		"a field's name":     {"purchase-orders", "total", column, "has a meaning already"},
		"a parameter's name": {"purchase-orders", "limit", column, "has a meaning already"},
		"a time of all":      {"purchase-orders", "created_at", column, "has a meaning already"},
		"a custom field":     {"purchase-orders", "colour", column, "has a custom field of that name"},
		"an operation":       {"inventory", "weight", wire.OverlayField{From: "Weight", Type: "decimal", Native: "decimal", Write: []string{"create"}}, "no operation create"},
	} {
		_, err := p.program.Over(wire.Overlay{Entities: map[string]wire.OverlayEntity{test.entity: {CustomFields: map[string]wire.OverlayField{test.field: test.column}}}})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOverlayFile: the same in a file, which an author wrote.
func TestOverlayFile(t *testing.T) {
	set, err := definition.Load(catalogue.FS, fstest.MapFS{"plant.yaml": {Data: []byte(foundYAML)}, "overlay.yaml": {Data: []byte(`apiVersion: connector/v1
metadata: {overlay: plant}
entities:
  purchase-orders:
    custom_fields:
      weight: {discovered: Weight, type: decimal, native: decimal, write: [update], filterable: true}
`)}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := definition.Compile(set.Lookup("plant"), []connectors.Driver{sqldriver.Driver{}})
	if err != nil {
		t.Fatal(err)
	}
	p := newPlantOf(t, foundYAML, added, orders("5"), "UPDATE po SET Weight = 3 WHERE po_id = 2")
	p.Engine = p.openProgram(program, "con_1")
	page, err := p.list("weight=3")
	if err != nil || len(page.Data) != 1 || page.Data[0].ID != "2" {
		t.Errorf("%v %v", page, err)
	}
}
