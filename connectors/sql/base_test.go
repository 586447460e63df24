package sqldriver_test

import (
	"fmt"
	"testing"
	"testing/fstest"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	sqldriver "gantry/connectors/sql"
)

// TestBaseLayersCompile loads each dialect's base layer under a small system, inbox and all.
func TestBaseLayersCompile(t *testing.T) {
	const system = `
apiVersion: connector/v1
metadata: {id: try-%[1]s, version: 1.0.0, product: Try, categories: [cmms], tier: 1, proved: dialect, extends: [base/sql-%[1]s]}
guide: A guide.
entities:
  vendors:
    key: [code]
    operations:
      list: {sql: "SELECT code, name FROM vendor", keyset: [code]}
      create: {class: transactional, inbox: {table: gantry_inbox}, sql: "INSERT INTO vendor (code, name) VALUES (:code, :name)"}
    fields:
      code: {from: code, write: [create]}
      name: {from: name, write: [create]}
`
	for _, dialect := range []string{"postgres", "mysql", "sqlite", "sqlserver", "oracle"} {
		t.Run(dialect, func(t *testing.T) {
			own := fstest.MapFS{"systems/try.yaml": {Data: fmt.Appendf(nil, system, dialect)}}
			set, err := definition.Load(catalogue.FS, own)
			if err != nil {
				t.Fatal(err)
			}
			d := set.Lookup("try-" + dialect)
			if d == nil {
				t.Fatal("the system is not in the set")
			}
			if _, err := definition.Compile(d, []connectors.Driver{sqldriver.Driver{}}); err != nil {
				t.Error(err)
			}
			if _, network := d.Login.Properties["host"]; network == (dialect == "sqlite") {
				t.Errorf("the login form has a host: %v", network)
			}
		})
	}
}
