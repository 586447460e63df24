//go:build systems

package odata_test

import (
	"context"
	"net"
	"net/http"
	"testing"

	"gantry/connectors"
	"gantry/connectors/conformance"
	"gantry/connectors/odata"
)

// deskAddress is the strict front of the order desk that `make systems` starts.
const deskAddress = "http://127.0.0.1:18095"

// reset gives the suite's parts their first data again, and leaves the rest to those who use it meanwhile.
func reset(t testing.TB) {
	t.Helper()
	response, err := http.Post(deskAddress+"/house/parts", "", nil)
	if err != nil {
		t.Fatalf("there is no order desk; run `make systems`: %v", err)
	}
	_ = response.Body.Close()
}

func deskTarget(t testing.TB, dialect string, protocol map[string]any) connectors.Target {
	t.Helper()
	reset(t)
	compiled, err := odata.Driver{}.Compile(dialect, map[string]any{"protocol": protocol})
	if err != nil {
		t.Fatal(err)
	}
	return connectors.Target{
		Dialect: dialect, Protocol: compiled,
		Settings:    map[string]any{"address": deskAddress, "login": "basic", "username": "agent"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("Agent-pw-2026")},
		Limits:      connectors.Limits{Concurrency: 4, PageSize: 1000},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
}

// TestConformance runs the suite on both versions: version 2 logs in with every call and pages by keyset, version 4 in a session and
// by the server's own pages.
func TestConformance(t *testing.T) {
	t.Run("v2", func(t *testing.T) {
		conform(t, "v2", map[string]any{"service": "/sap/opu/odata/sap/ORDER_DESK_SRV"}, map[string]any{
			"part_id": "PartId", "name": "Name", "price": "Price", "category": "Category", "modified": "Modified",
		}, "Parts", "Numbers", "Slow", "I", "merge")
	})
	t.Run("v4", func(t *testing.T) {
		conform(t, "v4", map[string]any{
			"service": "/odata/v4/orderdesk", "pages": map[string]any{"by": "server"},
			"login": map[string]any{"by": "session", "post": "/login", "body": map[string]any{"user": ":login_username", "password": map[string]any{"$secret": "password"}}},
		}, map[string]any{
			"part_id": "partId", "name": "name", "price": "price", "category": "category", "modified": "modified",
		}, "parts", "numbers", "slow", "i", "patch")
	})
}

func conform(t *testing.T, dialect string, protocol, columns map[string]any, parts, numbers, slow, number, patch string) {
	body := map[string]any{}
	for name, property := range columns {
		body[property.(string)] = ":" + name
	}
	id := columns["part_id"].(string)
	conformance.Run(t, conformance.Suite{
		Driver: odata.Driver{}, Dialect: dialect, Reads: true,
		Target: func(t testing.TB) connectors.Target { return deskTarget(t, dialect, protocol) },
		Steps: conformance.Steps{
			All:       map[string]any{"get": parts, "columns": columns},
			One:       map[string]any{"get": parts + "(:part_id)", "columns": columns},
			Insert:    map[string]any{"post": parts, "body": body},
			Returning: map[string]any{"post": parts, "body": body, "result": map[string]any{"part_id": id}},
			Rename:    map[string]any{patch: parts + "(:part_id)", "if_match": "*", "body": map[string]any{columns["name"].(string): ":name"}, "none": []any{404}},
			Slow:      map[string]any{"get": slow, "columns": map[string]any{"one": number}},
			SlowWrite: map[string]any{"post": slow, "body": map[string]any{}},
			Many:      map[string]any{"get": numbers, "columns": map[string]any{"i": number}, "pages": map[string]any{"by": "server"}},
			Writes:    map[string]any{"delete": parts + "(1)", "if_match": "*"},
		},
		Refuse: func(target *connectors.Target) { target.Settings["username"] = "locked" },
	})
}
