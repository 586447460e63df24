package catalogue_test

import (
	"testing"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/files"
	"gantry/connectors/jsonrpc"
	"gantry/connectors/odata"
	"gantry/connectors/rest"
	"gantry/connectors/soap"
	sqldriver "gantry/connectors/sql"
)

var drivers = []connectors.Driver{sqldriver.Driver{}, jsonrpc.Driver{}, rest.Driver{}, files.Driver{}, soap.Driver{}, odata.Driver{}}

func TestEveryDefinitionCompiles(t *testing.T) {
	set, err := definition.Load(catalogue.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"demo-plant", "adventureworks", "adventureworks-mariadb", "adventureworks-inbox", "tryton", "pocketbase", "csv-drop", "csv-drop-sftp", "csv-drop-smb", "xml-drop", "soap-order-desk", "odoo", "tryton-sql", "odata-order-desk", "odata-order-desk-v4"} {
		if set.Lookup(id) == nil {
			t.Errorf("no system %s", id)
		}
	}
	for _, d := range set.Systems() {
		t.Run(d.Metadata.ID, func(t *testing.T) {
			if _, err := definition.Compile(d, drivers); err != nil {
				t.Error(err)
			}
		})
	}
}
