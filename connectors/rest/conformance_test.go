//go:build systems

package rest_test

import (
	"context"
	"database/sql"
	"net"
	"testing"

	"gantry/connectors"
	"gantry/connectors/conformance"
	"gantry/connectors/rest"

	_ "modernc.org/sqlite"
)

// The PocketBase that `make systems` starts, and its database.
const (
	pocketAddress = "http://127.0.0.1:18090"
	pocketSQL     = "file:../../.systems/pocketbase/data/data.db?_pragma=busy_timeout(10000)"
)

// filled puts the suite's parts into PocketBase's table, past PocketBase.
func filled(t testing.TB) {
	t.Helper()
	db, err := sql.Open("sqlite", pocketSQL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatalf("there is no PocketBase with its database; run `make systems`: %v", err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("DELETE FROM parts"); err != nil {
		t.Fatalf("there is no PocketBase with its database; run `make systems`: %v", err)
	}
	for _, part := range conformance.Parts(conformance.PartCount) {
		_, err := tx.Exec(`INSERT INTO parts (id, part_id, name, price, category, modified) VALUES (?1, ?1, ?2, ?3, coalesce(?4, ''), strftime('%Y-%m-%d %H:%M:%fZ', ?5, 'unixepoch'))`,
			part["part_id"], part["name"], part["price"], part["category"], part["modified"].(interface{ Unix() int64 }).Unix())
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// pocketProtocol is that of connectors/catalogue/base/pocketbase.yaml; house/pocketbase_systems_test.go runs the definition itself.
var pocketProtocol = map[string]any{"protocol": map[string]any{
	"login": map[string]any{
		"by": "session", "post": "/api/collections/:login_collection/auth-with-password", "token": "token", "lifetime": "jwt",
		"body": map[string]any{"identity": ":login_username", "password": map[string]any{"$secret": "password"}},
	},
	"prove":         map[string]any{"post": "/api/collections/:login_collection/auth-refresh"},
	"errors":        map[string]any{"code": "status", "message": "message", "fields": "data"},
	"times":         map[string]any{"instant": "2006-01-02 15:04:05.000Z"},
	"empty_is_null": true,
	"where": map[string]any{
		"parameter": "filter", "and": " && ", "or": " || ", "compare": "{field} {op} {value}", "quote": "'",
		"replace": map[string]any{"'": `\'`}, "refuse_last": `\`, "values": 80,
	},
	"sort":  map[string]any{"parameter": "sort"},
	"pages": map[string]any{"by": "keyset", "size": "perPage", "most": 1000},
}}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func pocketTarget(t testing.TB) connectors.Target {
	protocol, err := rest.Driver{}.Compile("json", pocketProtocol)
	if err != nil {
		t.Fatal(err)
	}
	check, err := rest.Driver{}.Compile("json", map[string]any{"get": "/gantry/version", "result": map[string]any{"version": "version"}})
	if err != nil {
		t.Fatal(err)
	}
	return connectors.Target{
		Dialect: "json", Protocol: protocol, Check: check,
		Settings:    map[string]any{"address": pocketAddress, "collection": "users", "username": "agent@example.com"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("Agent-pw-2026")},
		Limits:      connectors.Limits{Concurrency: 4, PageSize: 1000},
		Dial:        dial,
	}
}

// TestPocketBaseLimitsTheRate: the second call within five seconds is refused, and no login is blamed for it.
func TestPocketBaseLimitsTheRate(t *testing.T) {
	conn, err := rest.Driver{}.Open(t.Context(), pocketTarget(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	limited := compile(t, map[string]any{"get": "/gantry/limited", "rows": "items", "columns": map[string]any{"id": "one"}, "pages": map[string]any{"by": "none"}})
	for range 2 {
		if _, err = ids(t, conn, connectors.Read{Statement: limited}); err != nil {
			break
		}
	}
	if f := failure(t, err); f.Source["http"] != int64(429) || f.Source["code"] != "429" || f.Source["login"] != false || f.Message != "Too Many Requests." {
		t.Errorf("%+v", f)
	}
}

func TestConformance(t *testing.T) {
	const parts, one = "/api/collections/parts/records", "/api/collections/parts/records/:part_id"
	values := map[string]any{
		"id": ":part_id as string", "part_id": ":part_id", "name": ":name", "price": ":price as string", "category": ":category", "modified": ":modified as instant",
	}
	columns := map[string]any{
		"part_id": "part_id", "name": "name", "price": "price as decimal", "category": "category", "modified": "modified as instant",
	}
	list := map[string]any{"get": parts, "query": map[string]any{"skipTotal": 1}, "rows": "items", "columns": columns, "order": []any{"part_id"}}
	many := map[string]any{
		"get": "/gantry/many", "rows": "items", "columns": map[string]any{"i": "i"},
		"pages": map[string]any{"by": "page", "parameter": "page", "size": "perPage"},
	}
	conformance.Run(t, conformance.Suite{
		Driver: rest.Driver{}, Dialect: "json", Reads: true,
		Target: func(t testing.TB) connectors.Target {
			filled(t)
			return pocketTarget(t)
		},
		Steps: conformance.Steps{
			All:       list,
			One:       map[string]any{"get": one, "rows": ".", "columns": columns, "none": []any{404}, "pages": map[string]any{"by": "none"}},
			Insert:    map[string]any{"post": parts, "body": values},
			Returning: map[string]any{"post": parts, "body": values, "result": map[string]any{"part_id": "part_id"}, "affected": 1},
			Rename:    map[string]any{"patch": one, "body": map[string]any{"name": ":name"}, "affected": 1, "none": []any{404}},
			Slow:      map[string]any{"get": "/gantry/slow", "rows": "items", "columns": map[string]any{"one": "one"}, "pages": map[string]any{"by": "none"}},
			Many:      many,
			Writes:    map[string]any{"delete": parts + "/1"},
		},
		Refuse: func(target *connectors.Target) { target.Settings["username"] = "locked@example.com" },
	})
}
