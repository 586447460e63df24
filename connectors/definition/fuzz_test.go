package definition

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// FuzzDefinition gives the loader a layer of anybody's: it must end, and what it takes must describe itself.
func FuzzDefinition(f *testing.F) {
	schema, err := compileSchema()
	if err != nil {
		f.Fatal(err)
	}
	env, err := newEnvironment()
	if err != nil {
		f.Fatal(err)
	}
	base, err := os.ReadFile("../catalogue/base/sql.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"../catalogue/base/sql-sqlite.yaml", "../catalogue/systems/adventureworks-inbox.yaml"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("apiVersion: connector/v1\nmetadata: {id: p, version: '1', product: P, extends: [base/sql]}\ndialect: sqlite\nentities: {vendors: {key: [id], operations: {list: {sql: x}}, fields: {name: {from: n}}}}\n"))
	f.Add([]byte("a: &x [1]\nb: *x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := &loader{schema: schema, env: env, layers: map[string]*node{}, overlays: map[string][]*node{}}
		l.file("base.yaml", base)
		l.file("fuzz.yaml", raw)
		for id := range l.layers {
			if d := l.system(id); d != nil {
				d.Describe()
			}
		}
	})
}

// FuzzOverlay gives the decoder an overlay of anybody's: what it takes holds names, types and flags within the bounds, and comes out of JSON
// again as it went in; all else is refused with what is wrong.
func FuzzOverlay(f *testing.F) {
	f.Add([]byte(`{"entities":{"vendors":{"custom_fields":{"gate":{"from":"Gate No","type":"integer","title":"Gate","write":["create","update"],"filterable":true}}}}}`))
	f.Add([]byte(`{"entities":{"vendors":{"custom_fields":{"gate":{"from":"a\"b","type":"sql"}},"operations":{}}},"login":{}}`))
	f.Add([]byte(`{"entities":{"a":{"custom_fields":{}},"a":null}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := DecodeOverlay(raw)
		if err != nil {
			refusal, ok := errors.AsType[*fault.Error](err)
			if !ok || refusal.Code != fault.InvalidRequest && refusal.Code != fault.PayloadTooLarge || len(refusal.Fields) > 100 {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, e := range o.Entities {
			for name, field := range e.CustomFields {
				if !fieldName.MatchString(name) || !ColumnName(field.From) || field.From == "" || strings.ContainsAny(field.From, "\"'`[];") ||
					!slices.Contains(entity.Types(), entity.Type(field.Type)) || field.Native != "" || len(field.Write) > 2 {
					t.Fatalf("%s: %+v", name, field)
				}
			}
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeOverlay(again); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
	})
}
