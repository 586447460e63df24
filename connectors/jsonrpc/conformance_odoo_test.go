//go:build systems

package jsonrpc_test

import (
	"database/sql"
	"testing"

	"gantry/connectors"
	"gantry/connectors/conformance"
	"gantry/connectors/jsonrpc"
)

// The Odoo that `make systems` starts.
const (
	odooAddress = "http://127.0.0.1:18369"
	odooSQL     = "postgres://postgres@127.0.0.1:15432/odoo"
)

// filledOdoo puts the suite's parts into Odoo's table, past Odoo.
func filledOdoo(t testing.TB) {
	t.Helper()
	db, err := sql.Open("pgx", odooSQL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DELETE FROM gantry_part"); err != nil {
		t.Fatalf("there is no Odoo with its database; run `make systems`: %v", err)
	}
	for _, part := range conformance.Parts(conformance.PartCount) {
		_, err := db.Exec("INSERT INTO gantry_part (part_id, name, price, category, changed) VALUES ($1, $2, $3, $4, $5)",
			part["part_id"], part["name"], part["price"], part["category"], part["modified"])
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestConformanceOdoo(t *testing.T) {
	values := map[string]any{"part_id": ":part_id", "name": ":name", "price": ":price", "category": ":category", "changed": ":modified as datetime"}
	columns := map[string]any{"part_id": "part_id", "name": "name", "price": "price", "category": "category", "modified": "changed as datetime"}
	conformance.Run(t, conformance.Suite{
		Driver: jsonrpc.Driver{}, Dialect: "odoo", Reads: true,
		Target: func(t testing.TB) connectors.Target {
			filledOdoo(t)
			return connectors.Target{
				Dialect:     "odoo",
				Settings:    map[string]any{"address": odooAddress, "database": "odoo", "username": "agent"},
				Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("Agent-pw-2026")},
				Limits:      connectors.Limits{Concurrency: 4, PageSize: 1000},
				Dial:        dial,
			}
		},
		Steps: conformance.Steps{
			All:       map[string]any{"model": "gantry.part", "columns": columns},
			One:       map[string]any{"model": "gantry.part", "columns": columns, "domain": []any{[]any{"part_id", "=", ":part_id"}}},
			Insert:    map[string]any{"method": "gantry.part.create", "params": []any{values}},
			Returning: map[string]any{"method": "gantry.part.add", "params": []any{values}, "result": map[string]any{"part_id": "part_id"}, "affected": "count"},
			Rename:    map[string]any{"method": "gantry.part.rename", "params": []any{":part_id", ":name"}, "affected": "."},
			Slow:      map[string]any{"method": "gantry.part.slow", "rows": ".", "columns": map[string]any{"one": "one"}},
			Many:      map[string]any{"model": "gantry.many", "columns": map[string]any{"i": "id"}},
			Writes:    map[string]any{"method": "gantry.part.unlink", "params": []any{[]any{1}}},
		},
		Refuse: func(target *connectors.Target) { target.Settings["username"] = "locked" },
	})
}
