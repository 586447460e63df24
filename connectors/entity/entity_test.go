package entity

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write schema.json anew")

func TestPublishedSchemaIsCurrent(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(Published, want) {
		t.Error("schema.json is stale: run `go test ./connectors/entity -update`")
	}
}

func TestCatalogueHoldsTwelveSoundEntities(t *testing.T) {
	if got := len(Catalogue()); got != 12 {
		t.Errorf("%d entities, want 12", got)
	}
	for _, e := range Catalogue() {
		t.Run(e.Name, func(t *testing.T) { checkFields(t, e.Fields) })
	}
}

func checkFields(t *testing.T, fields []*Field) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range fields {
		if f.Name == "" || seen[f.Name] {
			t.Errorf("field %q: no name, or twice", f.Name)
		}
		seen[f.Name] = true
		if _, ok := Lookup(f.Ref); f.Type == Ref && !ok {
			t.Errorf("field %s points to %q, which is no entity", f.Name, f.Ref)
		}
		if f.Type == Status && f.Values[len(f.Values)-1] != Other {
			t.Errorf("field %s: the last status must be %q", f.Name, Other)
		}
		if nested := f.Type == Object || f.Type == List; nested != (len(f.Fields) > 0) {
			t.Errorf("field %s: members do not fit the type %s", f.Name, f.Type)
		}
		checkFields(t, f.Fields)
	}
}
