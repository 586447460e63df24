//go:build systems

package jsonrpc_test

import (
	"context"
	"database/sql"
	"net"
	"path/filepath"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/conformance"
	"gantry/connectors/jsonrpc"

	_ "modernc.org/sqlite"
)

// The service of the library json-rpc that `make systems` starts, and its database.
const (
	serviceAddress = "http://127.0.0.1:18077/"
	serviceFile    = "../../.systems/jsonrpc/desk.sqlite"
)

// filledService puts the suite's parts into the service's table, past the service.
func filledService(t testing.TB) {
	t.Helper()
	file, err := filepath.Abs(serviceFile)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+file+"?mode=rw&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatalf("there is no JSON-RPC service with its database; run `make systems`: %v", err)
	}
	if _, err := tx.Exec("DELETE FROM parts"); err != nil {
		t.Fatalf("there is no JSON-RPC service with its database; run `make systems`: %v", err)
	}
	for _, part := range conformance.Parts(conformance.PartCount) {
		modified := part["modified"].(time.Time).Format(time.RFC3339)
		if _, err := tx.Exec("INSERT INTO parts VALUES (?, ?, ?, ?, ?)", part["part_id"], part["name"], part["price"], part["category"], modified); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestConformancePlain(t *testing.T) {
	page := map[string]any{"offset": map[string]any{"$offset": true}, "size": map[string]any{"$size": true}}
	columns := map[string]any{"part_id": "part_id as integer", "name": "name", "price": "price as decimal", "category": "category", "modified": "modified as datetime"}
	values := map[string]any{"part_id": ":part_id", "name": ":name", "price": ":price", "category": ":category", "modified": ":modified as datetime"}
	conformance.Run(t, conformance.Suite{
		Driver: jsonrpc.Driver{}, Dialect: "2.0", Reads: true,
		Target: func(t testing.TB) connectors.Target {
			filledService(t)
			return connectors.Target{
				Dialect:     "2.0",
				Settings:    map[string]any{"address": serviceAddress, "username": "agent", "login": "session"},
				Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("Desk-pw-2026")},
				Protocol:    plainCompile(t, `{"protocol":{"login":{"method":"user.login","named":{"user":":login_username","password":{"$secret":"password"}},"token":"token","refused":[-32500]}}}`),
				Check:       plainCompile(t, `{"method":"version","result":{"version":"."}}`),
				Limits:      connectors.Limits{Concurrency: 4, PageSize: 2000},
				Dial:        dial,
			}
		},
		Steps: conformance.Steps{
			All:       map[string]any{"method": "part.list", "named": page, "rows": "items", "total": "total", "columns": columns, "sorted": []any{"part_id"}},
			One:       map[string]any{"method": "part.list", "named": map[string]any{"id": ":part_id"}, "rows": "items", "columns": columns},
			Insert:    map[string]any{"method": "part.add", "named": values},
			Returning: map[string]any{"method": "part.add", "named": values, "result": map[string]any{"part_id": "part_id"}, "affected": "count"},
			Rename:    map[string]any{"method": "part.rename", "params": []any{":part_id", ":name"}, "affected": "."},
			Slow:      map[string]any{"method": "part.slow", "rows": ".", "columns": map[string]any{"one": "one"}},
			Many:      map[string]any{"method": "part.many", "named": page, "rows": ".", "columns": map[string]any{"i": "i as integer"}},
			Writes:    map[string]any{"method": "part.add", "named": values},
		},
		Refuse: func(target *connectors.Target) { target.Settings["username"] = "locked" },
	})
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}
