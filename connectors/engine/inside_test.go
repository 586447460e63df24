package engine

import (
	"encoding/json"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/entity"
)

func inside(tb testing.TB) (*Engine, *table) {
	tb.Helper()
	set, err := definition.Load(fstest.MapFS{"p.yaml": &fstest.MapFile{Data: []byte(`apiVersion: connector/v1
metadata: {id: p, version: 1.0.0, product: P}
driver: none
login: {properties: {}}
entities:
  purchase-orders:
    key: [{column: id, type: integer}]
    version: {column: rev, type: integer}
    operations: {list: {q: x, keyset: [{column: modified, type: datetime}, {column: id, type: integer}]}}
    fields:
      number: {from: no}
      vendor_id: {from: vendor, native: integer}
      status: {from: status, enum: {1: approved, 2: closed}}
      ordered_at: {from: ordered}
      currency: {from: currency}
      net: {from: net}
      total: {from: total}
      buyer: {from: buyer}
      updated_at: {from: modified}
`)}})
	if err != nil {
		tb.Fatal(err)
	}
	program, err := definition.Compile(set.Lookup("p"), []connectors.Driver{none{}})
	if err != nil {
		tb.Fatal(err)
	}
	t, err := newTable(tb.Context(), program.Tables["purchase-orders"], nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &Engine{program: program, connection: "con_1", cursorKey: []byte("0123456789abcdef"), tables: map[string]*table{t.Name: t}}, t
}

type none struct{ connectors.Driver }

func (none) Name() string                                                 { return "none" }
func (none) Compile(string, map[string]any) (connectors.Statement, error) { return none{}, nil }
func (none) Params() []string                                             { return nil }

var sample = connectors.Row{
	"id": int64(4012), "rev": int64(3), "no": "PO-4012", "vendor": int64(77), "status": int64(1), "currency": "USD",
	"ordered": time.Date(2026, 3, 1, 6, 30, 0, 0, time.UTC), "modified": time.Date(2026, 3, 2, 6, 30, 0, 1000, time.UTC),
	"net": "1234.5000", "total": "1300.10", "buyer": "J. \"Jo\" Müller",
}

func BenchmarkEncode(b *testing.B) {
	e, t := inside(b)
	x := &encoder{ctx: b.Context(), e: e, t: t, view: t.newView(nil, nil, false, nil)}
	buffer := x.record(nil, sample)
	if !json.Valid(buffer) {
		b.Fatalf("%s", buffer)
	}
	b.ReportAllocs()
	for b.Loop() {
		buffer = x.record(buffer[:0], sample)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func FuzzCursor(f *testing.F) {
	e, t := inside(f)
	fingerprint := t.fingerprint(nil)
	good, ok := e.cursor(t, fingerprint, sample)
	if !ok {
		f.Fatal("no cursor")
	}
	position, ok := e.openCursor(t, fingerprint, good)
	if diff := cmp.Diff([]any{sample["modified"], sample["id"]}, position); !ok || diff != "" {
		f.Fatal(diff)
	}
	f.Add(good)
	f.Add(good + "A")
	f.Add("")
	f.Fuzz(func(tt *testing.T, cursor string) {
		if _, ok := e.openCursor(t, fingerprint, cursor); ok && cursor != good {
			tt.Errorf("a forged cursor was taken: %q", cursor)
		}
		other := &Engine{program: e.program, connection: "con_2", cursorKey: e.cursorKey, tables: e.tables}
		if _, ok := other.openCursor(t, fingerprint, cursor); ok {
			tt.Errorf("a cursor of another connection was taken: %q", cursor)
		}
	})
}

func FuzzAppendString(f *testing.F) {
	f.Add("plain")
	f.Add("\x00\"\\\n\u2028é\xff\xf0\x9f\x98")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(appendString(nil, s), &back); err != nil {
			t.Fatal(err)
		}
		var want string
		raw, _ := json.Marshal(s)
		_ = json.Unmarshal(raw, &want)
		if back != want {
			t.Errorf("%q became %q, encoding/json says %q", s, back, want)
		}
	})
}

func TestClocks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := &column{Member: &definition.Member{Field: &definition.Field{Type: entity.Datetime, Native: definition.NativeDatetime}}, zone: berlin}
	for wall, want := range map[string]struct {
		utc   string
		exact bool
	}{
		"2026-01-15 12:00:00": {"2026-01-15T11:00:00Z", true},
		"2026-07-15 12:00:00": {"2026-07-15T10:00:00Z", true},
		"2026-03-29 02:30:00": {"2026-03-29T01:30:00Z", false}, // skipped: 03:30 summer time
		"2026-10-25 02:30:00": {"2026-10-25T00:30:00Z", true},  // twice: the first
		"2026-10-25 03:00:00": {"2026-10-25T02:00:00Z", true},
	} {
		at, err := time.Parse(time.DateTime, wall)
		if err != nil {
			t.Fatal(err)
		}
		got, exact, ok := c.instant(at)
		if !ok || got.Format(time.RFC3339) != want.utc || exact != want.exact {
			t.Errorf("%s is %s, %v, want %s, %v", wall, got.Format(time.RFC3339), exact, want.utc, want.exact)
		}
	}
	// In the last summer hour, "after" reaches back to where the clock goes back to.
	at, _ := time.Parse(time.RFC3339, "2026-10-25T00:45:00Z")
	bound, inclusive := c.after(at)
	if got := bound.(time.Time).Format(time.DateTime); got != "2026-10-25 02:00:00" || !inclusive {
		t.Errorf("after is %s, %v", got, inclusive)
	}
}

func TestDecimals(t *testing.T) {
	for in, want := range map[string]string{
		"12.50": "12.50", ".5": "0.5", "-.5": "-0.5", "+7": "7", "1E+3": "1000", "1.5e-3": "0.0015", "12.": "12", " 3 ": "3",
		"": "", "1e999": "", "abc": "", "1.2.3": "", "-": "", "NaN": "", "1e": "", "--1": "",
	} {
		if got, ok := toDecimal(in); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v, want %q", in, got, ok, want)
		}
	}
}
