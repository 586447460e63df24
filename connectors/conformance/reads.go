package conformance

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// collect copies the rows of a sequence.
func collect(rows iter.Seq2[connectors.Row, error]) ([]connectors.Row, error) {
	var all []connectors.Row
	for row, err := range rows {
		if err != nil {
			return all, err
		}
		all = append(all, maps.Clone(row))
	}
	return all, nil
}

func mustCollect(t testing.TB, rows iter.Seq2[connectors.Row, error]) []connectors.Row {
	t.Helper()
	all, err := collect(rows)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return all
}

func ids(rows []connectors.Row) []int64 {
	out := []int64{}
	for _, row := range rows {
		id, _ := row["part_id"].(int64)
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func testCheck(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	info, err := conn.Check(t.Context())
	if err != nil || info.Version == "" {
		t.Errorf("check gives %+v, %v; expected a version", info, err)
	}
}

func testReadAll(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	got := mustCollect(t, conn.Read(t.Context(), connectors.Read{Statement: s.statement(t, s.Steps.All), OrderBy: []string{"part_id"}}))
	if diff := cmp.Diff(Parts(PartCount), got); diff != "" {
		t.Errorf("rows differ (-want +got):\n%s", diff)
	}
}

func testTypes(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	want := Parts(8)[7] // its category is null
	got := mustCollect(t, conn.Read(t.Context(), connectors.Read{
		Statement: s.statement(t, s.Steps.One), Vars: connectors.Vars{"part_id": int64(8)},
	}))
	if diff := cmp.Diff([]connectors.Row{want}, got); diff != "" {
		t.Errorf("row differs (-want +got):\n%s", diff)
	}
}

func testPages(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	all := s.statement(t, s.Steps.All)
	for _, order := range [][]string{{"part_id"}, {"modified", "part_id"}, {"modified", "name", "part_id"}} {
		for _, size := range []int{1, 7, PartCount, PartCount + 1} {
			var got []connectors.Row
			q := connectors.Read{Statement: all, OrderBy: order, Limit: size}
			for {
				page := mustCollect(t, conn.Read(t.Context(), q))
				got = append(got, page...)
				if len(page) < size || len(got) > 2*PartCount {
					break
				}
				q.After = nil
				for _, column := range order {
					q.After = append(q.After, page[len(page)-1][column])
				}
			}
			if diff := cmp.Diff(ids(Parts(PartCount)), ids(got)); diff != "" {
				t.Errorf("pages of %d by %v (-want +got):\n%s", size, order, diff)
			}
		}
	}
}

func testFilters(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	all := s.statement(t, s.Steps.All)
	moment := Parts(50)[49]["modified"].(time.Time)
	many := make([]any, 1500)
	for i := range many {
		many[i] = int64(2 * i)
	}
	is := func(column string, values ...any) func(connectors.Row) bool {
		return func(row connectors.Row) bool { return slices.Contains(values, row[column]) }
	}
	for _, test := range []struct {
		name    string
		filters []connectors.Filter
		keeps   func(connectors.Row) bool
	}{
		{"one value", []connectors.Filter{{Column: "category", Op: connectors.Equal, Values: []any{"c3"}}}, is("category", "c3")},
		{"null", []connectors.Filter{{Column: "category", Op: connectors.Equal, Values: []any{nil}}}, is("category", nil)},
		{"values and null", []connectors.Filter{{Column: "category", Op: connectors.Equal, Values: []any{"c1", nil, "c2"}}}, is("category", "c1", nil, "c2")},
		{"no value", []connectors.Filter{{Column: "category", Op: connectors.Equal}}, func(connectors.Row) bool { return false }},
		{"many values", []connectors.Filter{{Column: "part_id", Op: connectors.Equal, Values: many}}, func(r connectors.Row) bool { return r["part_id"].(int64)%2 == 0 }},
		{"after a time", []connectors.Filter{{Column: "modified", Op: connectors.Greater, Values: []any{moment}}}, func(r connectors.Row) bool { return r["modified"].(time.Time).After(moment) }},
		{"two bounds", []connectors.Filter{
			{Column: "modified", Op: connectors.GreaterOrEqual, Values: []any{moment}},
			{Column: "part_id", Op: connectors.LessOrEqual, Values: []any{int64(60)}},
		}, func(r connectors.Row) bool {
			return !r["modified"].(time.Time).Before(moment) && r["part_id"].(int64) <= 60
		}},
		{"injection", []connectors.Filter{{Column: "name", Op: connectors.Equal, Values: []any{"' OR 1=1 --"}}}, func(connectors.Row) bool { return false }},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := slices.DeleteFunc(Parts(PartCount), func(r connectors.Row) bool { return !test.keeps(r) })
			got := mustCollect(t, conn.Read(t.Context(), connectors.Read{Statement: all, Filters: test.filters}))
			if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

func testEmpty(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	got := mustCollect(t, conn.Read(t.Context(), connectors.Read{
		Statement: s.statement(t, s.Steps.One), Vars: connectors.Vars{"part_id": int64(-1)},
	}))
	if len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func testEarlyStop(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	many := s.statement(t, s.Steps.Many)
	began := time.Now()
	for range 3 {
		for _, err := range conn.Read(t.Context(), connectors.Read{Statement: many}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("three reads of one row took %s: the rest seems to have been read", took)
	}
}

func testStream(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	count := 0
	for _, err := range conn.Read(t.Context(), connectors.Read{Statement: s.statement(t, s.Steps.Many)}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != 1_000_000 {
		t.Errorf("%d rows", count)
	}
}

// testNested reads a child for each of some rows of many parents at once: more of them than there are places.
func testNested(t *testing.T, s Suite) {
	conn, target := s.open(t)
	all, one := s.statement(t, s.Steps.All), s.statement(t, s.Steps.One)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for range 3 * target.Limits.Concurrency {
		group.Go(func() error {
			for row, err := range conn.Read(ctx, connectors.Read{Statement: all, OrderBy: []string{"part_id"}, Limit: 10}) {
				if err != nil {
					return err
				}
				child, err := collect(conn.Read(connectors.Nested(ctx), connectors.Read{Statement: one, Vars: connectors.Vars{"part_id": row["part_id"]}}))
				if err != nil || len(child) != 1 {
					return errors.Join(err, errors.New("no child"))
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

func testBound(t *testing.T, s Suite) {
	target := s.Target(t)
	target.Limits.Concurrency = 2
	conn := s.connect(t, target)
	all := s.statement(t, s.Steps.All)
	var now, most atomic.Int64
	var group errgroup.Group
	for range 12 {
		group.Go(func() error {
			for _, err := range conn.Read(t.Context(), connectors.Read{Statement: all}) {
				if err != nil {
					return err
				}
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(100 * time.Microsecond)
				now.Add(-1)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if most.Load() > 2 {
		t.Errorf("%d reads at once", most.Load())
	}
}

func testMisuse(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	all := s.statement(t, s.Steps.All)
	for name, q := range map[string]connectors.Read{
		"no such value": {Statement: s.statement(t, s.Steps.One)},
		"bad name":      {Statement: all, OrderBy: []string{`part_id"; DROP TABLE part; --`}},
		"null bound":    {Statement: all, Filters: []connectors.Filter{{Column: "part_id", Op: connectors.Greater, Values: []any{nil}}}},
		"short cursor":  {Statement: all, OrderBy: []string{"modified", "part_id"}, After: []any{int64(1)}},
	} {
		_, err := collect(conn.Read(t.Context(), q))
		wantKind(t, name, err, connectors.Misused)
	}
}

// wantKind checks the kind of a failure.
func wantKind(t testing.TB, what string, err error, kind connectors.Kind) *connectors.Failure {
	t.Helper()
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok {
		t.Fatalf("%s: got %v, expected a Failure of the kind %s", what, err, kind)
	}
	if f.Kind != kind {
		t.Errorf("%s: kind %s, expected %s: %v", what, f.Kind, kind, f)
	}
	return f
}
