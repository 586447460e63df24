//go:build systems

package soap_test

import (
	"context"
	"database/sql"
	"maps"
	"net"
	"path/filepath"
	"testing"

	"gantry/connectors"
	"gantry/connectors/conformance"
	"gantry/connectors/soap"

	_ "modernc.org/sqlite"
)

// The service that `make systems` starts, and its database.
const (
	deskAddress = "http://127.0.0.1:18096/"
	deskFile    = "../../.systems/soap/desk.sqlite"
)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func compiled(t testing.TB, native map[string]any) connectors.Statement {
	t.Helper()
	s, err := (soap.Driver{}).Compile("soap11", native)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func step(name, inner string, members map[string]any) map[string]any {
	out := map[string]any{"soap_action": "urn:plant:desk:" + name, "body": "<" + name + ` xmlns="urn:plant:desk">` + inner + "</" + name + ">"}
	maps.Copy(out, members)
	return out
}

func target(t testing.TB) connectors.Target {
	return connectors.Target{
		Dialect: "soap11", Limits: connectors.Limits{Concurrency: 4, PageSize: 5000}, Dial: dial,
		Settings:    map[string]any{"address": deskAddress, "username": "agent", "login": "basic"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("Soap-pw-2026")},
		Check:       compiled(t, step("ListOrders", "<Max>1</Max>", map[string]any{"records": "Order", "columns": map[string]any{"n": "Number"}})),
	}
}

// filled puts the suite's parts into the service's table, past the service.
func filled(t testing.TB) {
	t.Helper()
	file, err := filepath.Abs(deskFile)
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
		t.Fatalf("there is no SOAP service with its database; run `make systems`: %v", err)
	}
	if _, err := tx.Exec("DELETE FROM parts"); err != nil {
		t.Fatalf("there is no SOAP service with its database; run `make systems`: %v", err)
	}
	for _, part := range conformance.Parts(conformance.PartCount) {
		modified := part["modified"].(interface{ Format(string) string }).Format("2006-01-02T15:04:05")
		if _, err := tx.Exec("INSERT INTO parts VALUES (?, ?, ?, ?, ?)", part["part_id"], part["name"], part["price"], part["category"], modified); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	columns := map[string]any{"part_id": "Id as integer", "name": "Name", "price": "Price as decimal", "category": "Category", "modified": "Modified as datetime"}
	const part = "<Part><Id>{part_id as integer}</Id><Name>{name}</Name><Price>{price as decimal}</Price><Category>{category?}</Category><Modified>{modified as datetime}</Modified></Part>"
	slow := step("Slow", "", map[string]any{"records": "Part", "columns": columns})
	conformance.Run(t, conformance.Suite{
		Driver: soap.Driver{}, Dialect: "soap11", Reads: true,
		Target: func(t testing.TB) connectors.Target { filled(t); return target(t) },
		Refuse: func(*connectors.Target) {}, // the suite's password is wrong
		Steps: conformance.Steps{
			All:       step("ListParts", "<Offset>{$offset}</Offset><Max>{$size}</Max>", map[string]any{"records": "Part", "total": "Total", "columns": columns, "sorted": []any{"part_id"}}),
			One:       step("ListParts", "<Id>{part_id as integer}</Id>", map[string]any{"records": "Part", "columns": columns}),
			Insert:    step("AddPart", part, nil),
			Returning: step("AddPart", part, map[string]any{"result": map[string]any{"part_id": "Id as integer"}, "affected": "Count"}),
			Rename:    step("RenamePart", "<Id>{part_id as integer}</Id><Name>{name}</Name>", map[string]any{"affected": "Count"}),
			Slow:      slow,
			SlowWrite: step("Slow", "", nil),
			Many:      step("Many", "<Offset>{$offset}</Offset><Max>{$size}</Max>", map[string]any{"records": "I", "total": "Total", "columns": map[string]any{"i": ". as integer"}}),
			Writes:    step("AddPart", part, nil),
		},
	})
}

// TestSecurity logs in by WS-Security: the service checks digest and nonce.
func TestSecurity(t *testing.T) {
	for _, way := range []string{"wsse-text", "wsse-digest"} {
		right := target(t)
		right.Settings["login"] = way
		conn, err := (soap.Driver{}).Open(t.Context(), right)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 2 { // each request has a nonce of its own
			if _, err := conn.Check(t.Context()); err != nil {
				t.Errorf("%s: %v", way, err)
			}
		}
		right.Credentials = map[string]connectors.Secret{"password": connectors.NewSecret("wrong")}
		wrong, err := (soap.Driver{}).Open(t.Context(), right)
		if err != nil {
			t.Fatal(err)
		}
		defer wrong.Close()
		if _, err := wrong.Check(t.Context()); err == nil {
			t.Errorf("%s: a wrong password was taken", way)
		}
	}
}
