//go:build systems

package jsonrpc_test

import (
	"database/sql"
	"testing"

	"gantry/connectors"
	"gantry/connectors/conformance"
	"gantry/connectors/jsonrpc"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// The Tryton that `make systems` starts.
const (
	trytonAddress = "http://127.0.0.1:18069"
	trytonSQL     = "postgres://postgres@127.0.0.1:15432/erp"
)

// filled puts the suite's parts into Tryton's table, past Tryton.
func filled(t testing.TB) {
	t.Helper()
	db, err := sql.Open("pgx", trytonSQL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DELETE FROM gantry_part"); err != nil {
		t.Fatalf("there is no Tryton with its database; run `make systems`: %v", err)
	}
	for _, part := range conformance.Parts(conformance.PartCount) {
		_, err := db.Exec("INSERT INTO gantry_part (part_id, name, price, category, modified) VALUES ($1, $2, $3, $4, $5)",
			part["part_id"], part["name"], part["price"], part["category"], part["modified"])
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestConformance(t *testing.T) {
	values := map[string]any{
		"part_id": ":part_id", "name": ":name", "price": ":price as decimal", "category": ":category", "modified": ":modified as datetime",
	}
	columns := map[string]any{
		"part_id": "part_id", "name": "name", "price": "price as decimal", "category": "category", "modified": "modified as datetime",
	}
	conformance.Run(t, conformance.Suite{
		Driver: jsonrpc.Driver{}, Dialect: "tryton", Reads: true,
		Target: func(t testing.TB) connectors.Target {
			filled(t)
			return connectors.Target{
				Dialect:     "tryton",
				Settings:    map[string]any{"address": trytonAddress, "database": "erp", "username": "admin"},
				Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("Admin-pw-2026")},
				Limits:      connectors.Limits{Concurrency: 4, PageSize: 1000},
				Dial:        dial,
			}
		},
		Steps: conformance.Steps{
			All:       map[string]any{"model": "gantry.part", "columns": columns},
			One:       map[string]any{"model": "gantry.part", "columns": columns, "domain": []any{[]any{"part_id", "=", ":part_id"}}},
			Insert:    map[string]any{"method": "model.gantry.part.create", "params": []any{[]any{values}}},
			Returning: map[string]any{"method": "model.gantry.part.add", "params": []any{values}, "result": map[string]any{"part_id": "part_id"}, "affected": "count"},
			Rename:    map[string]any{"method": "model.gantry.part.rename", "params": []any{":part_id", ":name"}, "affected": "."},
			Slow:      map[string]any{"method": "model.gantry.part.slow", "rows": ".", "columns": map[string]any{"one": "one"}},
			Many:      map[string]any{"model": "gantry.many", "columns": map[string]any{"i": "id"}},
			Writes:    map[string]any{"method": "model.gantry.part.delete", "params": []any{[]any{1}}},
		},
		Refuse: func(target *connectors.Target) { target.Settings["username"] = "locked" },
	})
}
