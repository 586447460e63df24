package sqldriver_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/conformance"
	sqldriver "gantry/connectors/sql"
	"gantry/connectors/sql/sqltest"
)

func compile(t testing.TB, dialect, sql string) connectors.Statement {
	t.Helper()
	s, err := sqldriver.Driver{}.Compile(dialect, map[string]any{"sql": sql})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, target connectors.Target) connectors.Conn {
	t.Helper()
	conn, err := sqldriver.Driver{}.Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// count reads all rows of a statement.
func count(ctx context.Context, conn connectors.Conn, q connectors.Read) (n int, err error) {
	for _, err := range conn.Read(ctx, q) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// servers are the products that are servers.
func servers() map[string]product {
	all := products()
	delete(all, "sqlite")
	return all
}

// TestRestartedServer checks that pooled sessions that died with the server are nobody's trouble, and that a server that
// is away is told from one that answers.
func TestRestartedServer(t *testing.T) {
	for name, p := range servers() {
		t.Run(name, func(t *testing.T) {
			server := p.server(t)
			target := p.filled(t).Target()
			target.Limits.Timeout = 5 * time.Second
			conn := open(t, target)
			all := compile(t, p.dialect, "SELECT part_id FROM part")
			fill(t, conn, all)
			server.Stop(t)
			defer server.Start(t)
			_, err := count(t.Context(), conn, connectors.Read{Statement: all})
			if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Kind != connectors.Unreachable {
				t.Errorf("while the server is away: %v", err)
			}
			server.Start(t)
			fill(t, conn, all)
			server.Stop(t)
			server.Start(t)
			tx, err := conn.Begin(t.Context(), false)
			if err != nil {
				t.Fatalf("begin after a restart: %v", err)
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
		})
	}
}

// fill uses all sessions of the pool at once, so that they are there.
func fill(t *testing.T, conn connectors.Conn, all connectors.Statement) {
	t.Helper()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, err := range conn.Read(t.Context(), connectors.Read{Statement: all}) {
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	group.Wait()
}

// TestLostWrite checks what is said of a write whose server goes away: before the commit nothing has happened, at the
// commit nobody knows.
func TestLostWrite(t *testing.T) {
	for name, p := range servers() {
		t.Run(name, func(t *testing.T) {
			server := p.server(t)
			target := p.filled(t).Target()
			target.Limits.Timeout = 5 * time.Second
			conn := open(t, target)
			rename := compile(t, p.dialect, "UPDATE part SET name = 'x' WHERE part_id = 1")
			for _, step := range []string{"exec", "commit"} {
				tx, err := conn.Begin(t.Context(), false)
				if err != nil {
					t.Fatal(err)
				}
				if step == "commit" {
					if _, err := tx.Exec(t.Context(), rename, nil); err != nil {
						t.Fatal(err)
					}
				}
				server.Stop(t)
				if step == "commit" {
					err = tx.Commit(t.Context())
				} else {
					_, err = tx.Exec(t.Context(), rename, nil)
				}
				_ = tx.Rollback()
				server.Start(t)
				f, ok := errors.AsType[*connectors.Failure](err)
				if !ok || f.Kind != connectors.Lost && f.Kind != connectors.Answered {
					t.Fatalf("%s: %v", step, err)
				}
				if want := step == "commit"; f.Sent != want {
					t.Errorf("%s: sent is %v: %+v", step, f.Sent, f)
				}
			}
		})
	}
}

// TestOnlyTheTargetsDialer checks that the dialer sees the host as the settings name it, also for the second connection
// that cancels, and that nothing goes around it.
func TestOnlyTheTargetsDialer(t *testing.T) {
	for name, p := range servers() {
		t.Run(name, func(t *testing.T) {
			target := p.filled(t).Target()
			address := p.server(t).Address()
			target.Settings["host"] = "erp.plant.invalid"
			var mu sync.Mutex
			var seen []string
			target.Dial = func(ctx context.Context, network, to string) (net.Conn, error) {
				mu.Lock()
				seen = append(seen, to)
				mu.Unlock()
				return (&net.Dialer{}).DialContext(ctx, network, address)
			}
			conn := open(t, target)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := count(ctx, conn, connectors.Read{Statement: compile(t, p.dialect, p.slow)})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			want := fmt.Sprintf("erp.plant.invalid:%d", p.server(t).Port)
			if len(seen) < 2 || strings.Join(seen, " ") != strings.TrimSpace(strings.Repeat(want+" ", len(seen))) {
				t.Errorf("the dialer saw %v, expected two or more of %s", seen, want)
			}
		})
	}
}

// TestFailuresKeepTheSystemsWords reads what the error maps see.
func TestFailuresKeepTheSystemsWords(t *testing.T) {
	for _, test := range []struct {
		product, sql string
		member       string
		want         any
	}{
		{"postgres", "INSERT INTO part VALUES (1, 'x', 1, 'x', now())", "constraint", "part_pkey"},
		{"postgres", "INSERT INTO part (part_id, modified) VALUES (900, now())", "column", "name"},
		{"postgres", "SELECT 1 / 0", "sqlstate", "22012"},
		{"mariadb", "INSERT INTO part VALUES (1, 'x', 1, 'x', now())", "number", int64(1062)},
		{"mariadb", "SELECT nothing FROM part", "sqlstate", "42S22"},
		{"sqlite", "INSERT INTO part VALUES (1, 'x', 1, 'x', '2026-01-01')", "number", int64(1555)},
		{"sqlite", "INSERT INTO part (part_id, modified) VALUES (900, '2026-01-01')", "number", int64(1299)},
	} {
		t.Run(test.product+" "+test.sql, func(t *testing.T) {
			p := products()[test.product]
			tx, err := open(t, p.filled(t).Target()).Begin(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			_, err = tx.Exec(t.Context(), compile(t, p.dialect, test.sql), nil)
			f, ok := errors.AsType[*connectors.Failure](err)
			if !ok || f.Kind != connectors.Answered || f.Source[test.member] != test.want {
				t.Errorf("got %v, source %v; expected %s %v", err, f.Source, test.member, test.want)
			}
		})
	}
}

// TestLockedRecord checks that a wait for another user's lock ends as such, before the call's own time is up.
func TestLockedRecord(t *testing.T) {
	status := map[string]string{"postgres": "55P03", "mariadb": "1205", "sqlite": "5"}
	for name, p := range products() {
		t.Run(name, func(t *testing.T) {
			target := p.filled(t).Target()
			target.Limits.Timeout = 6 * time.Second
			conn := open(t, target)
			rename := compile(t, p.dialect, "UPDATE part SET name = 'x' WHERE part_id = 1")
			holder, err := conn.Begin(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Rollback()
			if _, err := holder.Exec(t.Context(), rename, nil); err != nil {
				t.Fatal(err)
			}
			tx, err := conn.Begin(t.Context(), false)
			if err == nil {
				defer tx.Rollback()
				_, err = tx.Exec(t.Context(), rename, nil)
			}
			f, ok := errors.AsType[*connectors.Failure](err)
			if !ok || f.Kind != connectors.Answered || f.Status != status[name] {
				t.Errorf("got %v, expected the status %s", err, status[name])
			}
		})
	}
}

// TestCancelBetweenRows cancels while the system looks for the second row.
func TestCancelBetweenRows(t *testing.T) {
	p := products()["sqlite"]
	conn := open(t, p.filled(t).Target())
	late := compile(t, p.dialect, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i = 1 OR i < 0`)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	n, err := count(ctx, conn, connectors.Read{Statement: late})
	if n != 1 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%d rows, then %v", n, err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the statement went on for %s", took)
	}
}

// TestStreamInConstantMemory reads a million rows and looks at the heap on the way.
func TestStreamInConstantMemory(t *testing.T) {
	for name, p := range products() {
		t.Run(name, func(t *testing.T) {
			conn := open(t, p.filled(t).Target())
			var before, now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			n := 0
			for _, err := range conn.Read(t.Context(), connectors.Read{Statement: compile(t, p.dialect, p.many)}) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n%250_000 == 0 {
					runtime.GC()
					runtime.ReadMemStats(&now)
					if grown := int64(now.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
						t.Errorf("after %d rows the heap has grown by %d MB", n, grown>>20)
					}
				}
			}
		})
	}
}

// TestPlansUseIndexes checks that the wrapping and the keyset do not hide the index from the planner.
func TestPlansUseIndexes(t *testing.T) {
	for name, plan := range map[string]struct{ ddl, explain, want string }{
		"postgres": {"CREATE INDEX by_modified ON part (modified, part_id); INSERT INTO part SELECT 1000 + i, 'x', 1, 'c', '2026-05-01'::timestamp + i * interval '1 minute' FROM generate_series(1, 20000) i; ANALYZE part",
			"EXPLAIN ", "Index Scan using by_modified"},
		"mariadb": {"CREATE INDEX by_modified ON part (modified, part_id); INSERT INTO part SELECT 1000 + seq, 'x', 1, 'c', '2026-05-01' + INTERVAL seq MINUTE FROM seq_1_to_20000; ANALYZE TABLE part",
			"EXPLAIN ", "range"},
		"sqlite": {"CREATE INDEX by_modified ON part (modified, part_id)",
			"EXPLAIN QUERY PLAN ", "SEARCH part USING INDEX by_modified"},
	} {
		t.Run(name, func(t *testing.T) {
			p := products()[name]
			database := p.filled(t)
			for statement := range strings.SplitSeq(plan.ddl, "; ") {
				if strings.HasPrefix(statement, "ANALYZE TABLE") {
					continue // it gives rows
				}
				database.Run(t, statement)
			}
			text := sqldriver.Rendered(t, p.dialect, "SELECT part_id, name, modified FROM part WHERE price > 0", connectors.Read{
				OrderBy: []string{"modified", "part_id"}, Limit: 101,
				After: []any{conformance.Parts(1)[0]["modified"].(time.Time).AddDate(0, 0, 40), int64(7)},
			})
			got := explain(t, database, plan.explain+text.SQL, text.Args)
			if !strings.Contains(got, plan.want) || strings.Contains(got, "filesort") || strings.Contains(got, "TEMP B-TREE") {
				t.Errorf("the plan lacks %q or sorts:\n%s", plan.want, got)
			}
		})
	}
}

func explain(t *testing.T, d *sqltest.Database, query string, args []any) string {
	t.Helper()
	rows, err := d.DB.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	var out strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			switch v := (*v.(*any)).(type) {
			case []byte:
				fmt.Fprintf(&out, "%s ", v)
			default:
				fmt.Fprintf(&out, "%v ", v)
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// BenchmarkStream reads a million rows of five columns.
func BenchmarkStream(b *testing.B) {
	many := map[string]string{
		"postgres": `SELECT i, 'part ' || i AS name, i * 1.25 AS price, 'c1'::text AS category, timestamp '2026-01-01' AS modified FROM generate_series(1, 1000000) AS i`,
		"mariadb":  `SELECT seq, CONCAT('part ', seq) AS name, seq * 1.25 AS price, 'c1' AS category, CAST('2026-01-01' AS datetime) AS modified FROM seq_1_to_1000000`,
		"sqlite":   `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i, 'part ' || i AS name, i * 1.25 AS price, 'c1' AS category, '2026-01-01 00:00:00' AS modified FROM n`,
	}
	for name, p := range products() {
		b.Run(name, func(b *testing.B) {
			conn := open(b, p.server(b).Database(b).Target())
			statement := compile(b, p.dialect, many[name])
			rows := 0
			for b.Loop() {
				n, err := count(b.Context(), conn, connectors.Read{Statement: statement})
				if err != nil {
					b.Fatal(err)
				}
				rows += n
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
