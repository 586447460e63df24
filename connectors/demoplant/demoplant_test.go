package demoplant

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// digest is the SHA-256 of every row of every table. It changes when the plant is meant to change, and then everybody
// who counts on its records wants to know.
const digest = "d2acd194b5a054254876f52b917bf5effb7d73a15f09074f499a8b2d00ab1fc1"

func open(t *testing.T) *sql.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plant.db")
	if err := Create(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSeedIsTheSameEverywhere(t *testing.T) {
	db := open(t)
	sum := sha256.New()
	for _, table := range column[string](t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name") {
		for _, row := range rows(t, db, "SELECT * FROM "+table+" ORDER BY 1, 2") {
			_, _ = fmt.Fprintln(sum, table, row) // a hash never fails
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != digest {
		t.Errorf("the plant's digest is\n%s, want\n%s", got, digest)
	}
}

func TestPlantHoldsWhatItPromises(t *testing.T) {
	db := open(t)
	got := map[string]int{}
	for _, table := range []string{"SITE", "LOCN", "EQUIP", "VENDOR", "ITEM", "STOCK", "PMPLAN", "WKORD", "SVCREQ", "PO_HDR", "GR_HDR", "METER_RDG"} {
		got[table] = column[int](t, db, "SELECT count(*) FROM "+table)[0]
	}
	want := map[string]int{"SITE": 3, "LOCN": 60, "EQUIP": 400, "VENDOR": 80, "ITEM": 500, "STOCK": 900, "PMPLAN": 120, "WKORD": 1500,
		"SVCREQ": 300, "PO_HDR": 800, "GR_HDR": 362, "METER_RDG": 1500}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPlantIsSound(t *testing.T) {
	db := open(t)
	for _, tt := range []struct{ name, sql string }{
		{"references that lead nowhere", "SELECT * FROM pragma_foreign_key_check"},
		{"orders whose totals are not their lines'", `SELECT PO_NO FROM PO_HDR h WHERE CAST(round(NET_AMT * 100) AS INTEGER) <>
			(SELECT sum(CAST(round(AMT * 100) AS INTEGER)) FROM PO_LINE l WHERE l.PO_NO = h.PO_NO)`},
		{"received more than ordered", "SELECT PO_NO FROM PO_LINE WHERE CAST(RCV_QTY AS REAL) > CAST(QTY AS REAL)"},
		{"receipts that differ from their orders", `SELECT l.PO_NO FROM PO_LINE l LEFT JOIN GR_HDR h ON h.PO_NO = l.PO_NO
			LEFT JOIN GR_LINE g ON g.GR_NO = h.GR_NO AND g.PO_LINE = l.LINE WHERE l.RCV_QTY <> coalesce(g.QTY, '0.0')`},
		{"running hours that shrink", `SELECT a.RDG_NO FROM METER_RDG a JOIN METER_RDG b ON b.METER_CD = a.METER_CD AND b.READ_DT > a.READ_DT
			WHERE a.RDG_TYPE = 'counter' AND CAST(b.VAL AS REAL) < CAST(a.VAL AS REAL)`},
		{"completed work without an end", "SELECT WO_NO FROM WKORD WHERE STAT IN (60, 70) AND COMP_DT IS NULL"},
		{"requests in no state", "SELECT SR_NO FROM SVCREQ WHERE STAT NOT IN (20, 30, 50, 60, 70, 95)"},
		{"changed before it was made", `SELECT WO_NO FROM WKORD WHERE CHG_UTC < CRT_UTC UNION ALL SELECT PO_NO FROM PO_HDR WHERE CHG_UTC < CRT_UTC`},
		{"changed in the plant's future", `SELECT PO_NO FROM PO_HDR WHERE CHG_UTC > '2026-07-01' UNION ALL SELECT WO_NO FROM WKORD WHERE CHG_UTC > '2026-07-01'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if found := rows(t, db, tt.sql); len(found) > 0 {
				t.Errorf("%d rows, the first: %v", len(found), found[0])
			}
		})
	}
}

func TestCreateLeavesAFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plant.db")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Create(t.Context(), path); err == nil {
		t.Error("no error for a file that is there")
	}
	if content, _ := os.ReadFile(path); string(content) != "mine" {
		t.Errorf("the file became %q", content)
	}
}

func TestDiceKeepsToWorkingHours(t *testing.T) {
	d := newDice()
	for range 1000 {
		if at := d.moment(opening, today); at.Hour() < 6 || at.Hour() > 17 || at.Before(opening.Add(-6*time.Hour)) || at.After(today.AddDate(0, 0, 1)) {
			t.Fatalf("%s", at)
		}
	}
}

func rows(t *testing.T, db *sql.DB, query string) [][]any {
	t.Helper()
	found, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	names, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]any
	for found.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func column[T any](t *testing.T, db *sql.DB, query string) []T {
	t.Helper()
	var out []T
	for _, row := range rows(t, db, query) {
		var value any = row[0]
		if n, ok := value.(int64); ok {
			value = int(n)
		}
		out = append(out, value.(T))
	}
	return out
}
