//go:build systems

package house

import (
	"maps"
	"strings"
	"testing"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

// openTrytonSQL is a desk at the same Tryton's database.
func openTrytonSQL(t *testing.T) *desk {
	t.Helper()
	return openDesk(t, "tryton-sql", connectors.Target{
		Settings:    map[string]any{"host": "127.0.0.1", "port": int64(15432), "database": "erp", "username": "postgres", "tls": "disable"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("none is asked for")},
		Dial:        dialDirect,
	})
}

// onlyOverRPC are the fields that the tables alone do not give, and what belongs to a connection and not to the record.
var onlyOverRPC = map[string][]string{
	"purchase-orders": {"etag", "_actions", "lines.due_at"},
	"vendors":         {"etag"},
	"items":           {"etag"},
	"inventory":       {"etag", "available"},
	"work-orders":     {"etag", "_actions"},
}

// TestTrytonTwoWays reads everything of one Tryton over JSON-RPC and out of its database: each record is the same, field by field.
func TestTrytonTwoWays(t *testing.T) {
	e, s := openTryton(t), openTrytonSQL(t)
	if _, err := s.engine.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.draft(t)
	tie := e.must(t, onOrder("create", ""), `{"vendor_id":"4","lines":[{"item_id":"3","quantity":"13.05","price":"8.9"},{"item_id":"3","quantity":"0.05","price":"0.1"},{"item_id":"3","quantity":"0.15","price":"0.1"}]}`)
	e.must(t, onOrder("quote", tie["id"].(string)), "")
	for entity, without := range onlyOverRPC {
		t.Run(entity, func(t *testing.T) {
			over, out := common(list(t, e.desk, entity, ""), without), common(list(t, s, entity, "limit=3"), without)
			if len(over) == 0 {
				t.Error("there is nothing to compare")
			}
			if diff := cmp.Diff(over, out); diff != "" {
				t.Errorf("(-JSON-RPC +SQL):\n%s", diff)
			}
			t.Logf("%d records are the same", len(over))
		})
	}
}

// common keeps the fields that both ways have.
func common(records []map[string]any, without []string) map[string]any {
	out := map[string]any{}
	for _, record := range records {
		for _, name := range without {
			remove(record, name)
		}
		out[record["id"].(string)] = record
	}
	return out
}

func remove(record map[string]any, name string) {
	list, member, inner := strings.Cut(name, ".")
	if !inner {
		delete(record, name)
		return
	}
	members, _ := record[list].([]any)
	for _, one := range members {
		maps.DeleteFunc(one.(map[string]any), func(key string, _ any) bool { return key == member })
	}
}

// TestTrytonSQLReadsWhatChanged: the watermark of a record that was never changed is when it was made.
func TestTrytonSQLReadsWhatChanged(t *testing.T) {
	e, s := openTryton(t), openTrytonSQL(t)
	before := e.scan(t, `SELECT to_char(max(coalesce(write_date, create_date)), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM purchase_purchase`)
	made := e.draft(t)
	got := idsOf(list(t, s, "purchase-orders", "modified_after="+before))
	if diff := cmp.Diff([]string{made}, got); diff != "" {
		t.Errorf("after %s (-made +SQL):\n%s", before, diff)
	}
}

// TestTrytonSQLOnlyReads: there is no way to write past Tryton.
func TestTrytonSQLOnlyReads(t *testing.T) {
	s := openTrytonSQL(t)
	for name, entity := range s.engine.Capabilities().Entities {
		for operation, may := range entity.Operations {
			if may.Allowed != (operation == "list" || operation == "get") {
				t.Errorf("%s, %s: %+v", name, operation, may)
			}
		}
		if len(entity.Actions) > 0 {
			t.Errorf("%s offers actions", name)
		}
	}
}
