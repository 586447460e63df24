package definition

import (
	"os"
	"testing"
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
