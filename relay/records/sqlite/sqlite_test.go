package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gantry/relay/records"
	"gantry/relay/records/recordstest"
	"gantry/relay/store/database"
)

func TestConformance(t *testing.T) {
	recordstest.Run(t, func(t *testing.T, now func() time.Time) records.Store { return open(t, t.TempDir(), now) })
}

func open(t testing.TB, dir string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// order is a record of the size of an order with two lines.
func order(n, version int) records.Record {
	r, err := records.Parse(fmt.Appendf(nil, `{"id":"%07d","number":"PO%d","status":{"value":"%s","native_code":"2","native_label":"Approved"},`+
		`"vendor_id":"%d","buyer":"258","ordered_at":"2025-04-16T00:00:00Z","due_at":"2025-04-25T00:00:00Z","currency":"USD",`+
		`"net":"%d.5045","tax":"16.0872","freight":"5.0273","total":"222.1492","lines":[{"line":1,"item_id":"1","description":"Adjustable Race",`+
		`"quantity":"4","price":"50.26","amount":"201.04","due_at":"2025-04-30T00:00:00Z","received_quantity":"3.00"},{"line":2,"item_id":"359",`+
		`"description":"Thin-Jam Hex Nut 9","quantity":"3","price":"45.12","amount":"135.36","due_at":"2025-04-30T00:00:00Z","received_quantity":"3.00"}],`+
		`"updated_at":"2025-04-25T%02d:%02d:%02dZ","custom_fields":{"external_ref":null},"created_at":null,"deleted_at":null,"etag":"%d"}`,
		n, n, []string{"approved", "closed", "pending_approval"}[n%3], 1500+n%104, n, n/3600%24, n/60%60, n%60, version))
	if err != nil {
		panic(err)
	}
	return r
}

// fill syncs orders, 500 a page.
func fill(t testing.TB, s *Store, key records.Key, rows int) {
	t.Helper()
	ctx := t.Context()
	if _, err := s.PutSync(ctx, "org_1", key, records.Schedule{Every: time.Hour, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.BeginRun(ctx, key, records.Run{ID: "run", Kind: records.Full, StartedAt: time.Now()}, nil, nil); err != nil {
		t.Fatal(err)
	}
	for from := 0; from < rows; from += 500 {
		page := records.Page{Run: "run"}
		for n := from; n < min(from+500, rows); n++ {
			page.Records = append(page.Records, order(n, 1))
		}
		if _, err := s.Keep(ctx, key, page); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.EndRun(ctx, key, records.Ending{Run: "run"}); err != nil {
		t.Fatal(err)
	}
}

// TestSurvivesACopyWithoutClosing reads a copy of the files as a killed relay leaves them.
func TestSurvivesACopyWithoutClosing(t *testing.T) {
	dir, key := t.TempDir(), records.Key{Connection: "con_1", Entity: "items"}
	s := open(t, dir, nil)
	defer func() { _ = s.Close() }()
	fill(t, s, key, 100)
	crashed := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(dir, File+suffix))
		if err == nil {
			err = os.WriteFile(filepath.Join(crashed, File+suffix), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	after := open(t, crashed, nil)
	defer func() { _ = after.Close() }()
	found, err := after.Sync(t.Context(), key)
	if err != nil || found.Live != 100 {
		t.Errorf("%d records after the crash (%v)", found.Live, err)
	}
	if faults, err := database.Check(t.Context(), filepath.Join(crashed, File)); err != nil || len(faults) > 0 {
		t.Errorf("damaged: %v %v", faults, err)
	}
}

// TestErasedIsGoneFromTheFiles looks for erased records in the bytes of the files, and at their size.
func TestErasedIsGoneFromTheFiles(t *testing.T) {
	dir, key := t.TempDir(), records.Key{Connection: "con_1", Entity: "items"}
	s := open(t, dir, nil)
	defer func() { _ = s.Close() }()
	fill(t, s, key, 5000)
	if !found(t, dir, "Adjustable Race") {
		t.Fatal("the records are not in the files: the test tells nothing")
	}
	if err := s.Erase(t.Context(), key.Connection); err != nil {
		t.Fatal(err)
	}
	if found(t, dir, "Adjustable Race") {
		t.Error("erased records are still in the files")
	}
	if info, err := os.Stat(filepath.Join(dir, File)); err != nil || info.Size() > 256<<10 {
		t.Errorf("the file did not shrink: %v %v", info, err)
	}
}

func found(t *testing.T, dir, text string) bool {
	t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(dir, File+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(text)) {
			return true
		}
	}
	return false
}

// TestSweepFinishesAnErase leaves an erase where a crash would.
func TestSweepFinishesAnErase(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer func() { _ = s.Close() }()
	key := records.Key{Connection: "con_1", Entity: "items"}
	fill(t, s, key, 1000)
	ctx := t.Context()
	for _, statement := range []string{"INSERT INTO erased SELECT number FROM syncs WHERE entity = ?", "DELETE FROM syncs WHERE entity = ?"} {
		if _, err := s.remove(ctx, statement, key.Entity); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	left, err := database.One(ctx, s.file.Reader(), scanCount, "SELECT (SELECT count(*) FROM records) + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM erased)")
	if err != nil || left > 0 {
		t.Errorf("%d rows are left (%v)", left, err)
	}
}
