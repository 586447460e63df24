package house

import (
	"testing"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/engine"
	"gantry/connectors/sql/sqltest"
	"gantry/connectors/wire"
	"gantry/house/adventureworks"
)

// TestDiscoveredOnServers adds columns to AdventureWorks, finds them, maps them, and reads, filters and writes them.
func TestDiscoveredOnServers(t *testing.T) {
	for system, test := range map[string]struct {
		server func(testing.TB) *sqltest.Server
		ddl    string
	}{
		"adventureworks": {sqltest.Postgres, `ALTER TABLE purchaseorderheader ADD "Cost Centre" varchar(10), ADD weight numeric(9,3), ADD packed timestamptz,
			ADD urgent boolean NOT NULL DEFAULT true, ADD photo bytea, ADD twice integer GENERATED ALWAYS AS (vendorid * 2) STORED;
			COMMENT ON COLUMN purchaseorderheader.weight IS 'Weight in kg'`},
		"adventureworks-mariadb": {sqltest.MariaDB, "ALTER TABLE purchaseorderheader ADD `Cost Centre` varchar(10), ADD weight decimal(9,3) COMMENT 'Weight in kg', " +
			"ADD packed datetime, ADD urgent boolean NOT NULL DEFAULT true, ADD photo blob, ADD twice integer GENERATED ALWAYS AS (vendorid * 2) VIRTUAL"},
	} {
		t.Run(system, func(t *testing.T) {
			needData(t)
			database := test.server(t).Database(t)
			if err := adventureworks.Load(t.Context(), database.DB, database.Server.Dialect); err != nil {
				t.Fatal(err)
			}
			if _, err := database.DB.ExecContext(t.Context(), test.ddl); err != nil {
				t.Fatal(err)
			}
			columns := discovered(t, openDesk(t, system, database.Target()), "purchase-orders")
			if columns["weight"].Title != "Weight in kg" || columns["Cost Centre"].Native != "string" || columns["photo"].Native != "" || !columns["twice"].ReadOnly ||
				columns["urgent"].Filled != 20 || columns["weight"].Filled != 0 {
				t.Errorf("%+v", columns)
			}
			if _, used := columns["vendorid"]; used {
				t.Error("a column that the definition maps is no discovery")
			}
			both := []string{"create", "update"}
			d := overlaidDesk(t, system, database.Target(), "purchase-orders", map[string]wire.OverlayField{
				"cost_centre": {From: "Cost Centre", Type: "string", Native: columns["Cost Centre"].Native, Write: both, Filterable: true},
				"weight":      {From: "weight", Type: "decimal", Native: columns["weight"].Native, Write: both},
				"packed_at":   {From: "packed", Type: "datetime", Native: columns["packed"].Native, Write: both, Filterable: true},
				"urgent":      {From: "urgent", Type: "boolean", Native: columns["urgent"].Native, Write: []string{"update"}},
			})
			made := d.must(t, engine.Write{Entity: "purchase-orders", Operation: "create", IdempotencyKey: "k1"},
				`{"vendor_id":"1580","ordered_at":"2026-07-01T00:00:00Z","lines":[],"custom_fields":{"cost_centre":"4711","weight":"12.345","packed_at":"2026-06-30T10:00:00Z"}}`)
			expect(t, made, map[string]any{"custom_fields.cost_centre": "4711", "custom_fields.weight": "12.345", "custom_fields.packed_at": "2026-06-30T10:00:00Z", "custom_fields.urgent": true})
			id := made["id"].(string)
			changed := d.must(t, engine.Write{Entity: "purchase-orders", Operation: "update", ID: id}, `{"custom_fields":{"urgent":false,"cost_centre":"4711"}}`)
			expect(t, changed, map[string]any{"custom_fields.cost_centre": "4711", "custom_fields.urgent": false, "custom_fields.weight": "12.345"})
			for _, query := range []string{"cost_centre=4711", "packed_at=2026-06-30T10:00:00Z", "cost_centre=4711&vendor_id=1580&modified_after=2026-01-01T00:00:00Z"} {
				if found := list(t, d, "purchase-orders", query); len(found) != 1 || found[0]["id"] != id {
					t.Errorf("%s: %d records", query, len(found))
				}
			}
			if all := list(t, d, "purchase-orders", "limit=500"); len(all) < 4000 {
				t.Errorf("%d records in all", len(all))
			}
		})
	}
}

// discovered lists the columns by name.
func discovered(t *testing.T, d *desk, entity string) map[string]wire.DiscoveredColumn {
	t.Helper()
	found, err := d.engine.Discover(t.Context(), entity)
	if err != nil {
		t.Fatal(explained(err))
	}
	out := map[string]wire.DiscoveredColumn{}
	for _, c := range found.Columns {
		out[c.Name] = c
	}
	return out
}

// overlaidDesk opens a system with an overlay on one of its entities.
func overlaidDesk(t *testing.T, system string, target connectors.Target, entity string, fields map[string]wire.OverlayField) *desk {
	t.Helper()
	set, err := definition.Load(catalogue.FS)
	if err != nil {
		t.Fatal(err)
	}
	program, err := definition.Compile(set.Lookup(system), allDrivers())
	if err == nil {
		program, err = program.Over(wire.Overlay{Entities: map[string]wire.OverlayEntity{entity: {CustomFields: fields}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return openProgram(t, program, target)
}

// TestDiscoverStatements asks every entity of the SQL systems for more columns: the catalogue's statements are understood.
func TestDiscoverStatements(t *testing.T) {
	for system, target := range map[string]func(*testing.T) connectors.Target{
		"demo-plant":             demoTarget,
		"adventureworks":         func(t *testing.T) connectors.Target { return adventureWorksTarget(t, sqltest.Postgres) },
		"adventureworks-mariadb": func(t *testing.T) connectors.Target { return adventureWorksTarget(t, sqltest.MariaDB) },
	} {
		t.Run(system, func(t *testing.T) {
			d := openDesk(t, system, target(t))
			for entity, can := range d.engine.Capabilities().Entities {
				if !can.Overlay.Allowed {
					t.Errorf("%s: %s", entity, can.Overlay.Reason)
				}
				discovered(t, d, entity)
			}
		})
	}
}
