package sqlite

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gantry/relay/records"
)

var benchRows = flag.Int("rows", 100_000, "records in the benchmarks")

var benchKey = records.Key{Connection: "con_1", Entity: "purchase-orders"}

// BenchmarkKeep measures what a run brings in, in records a second: new ones, the same again in a full run that compares,
// and changed ones.
func BenchmarkKeep(b *testing.B) {
	s := open(b, b.TempDir(), nil)
	b.Cleanup(func() { _ = s.Close() })
	if _, err := s.PutSync(b.Context(), "org_1", benchKey, records.Schedule{Every: time.Hour, Enabled: true}); err != nil {
		b.Fatal(err)
	}
	for _, kind := range []string{"new", "same", "changed"} {
		b.Run(kind, func(b *testing.B) {
			n := 0
			run := records.Run{ID: fmt.Sprint(kind, b.N), Kind: records.Full, StartedAt: time.Now(), Compares: kind == "same"}
			if _, err := s.BeginRun(b.Context(), benchKey, run, nil, nil); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				page := records.Page{Run: run.ID}
				for range 500 {
					switch kind {
					case "new":
						page.Records = append(page.Records, order(benchNext, 1))
						benchNext++
					case "same":
						page.Records = append(page.Records, order(n%benchNext, 1))
					case "changed":
						page.Records = append(page.Records, order(n%benchNext, 2+n/benchNext))
					}
					n++
				}
				if _, err := s.Keep(b.Context(), benchKey, page); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*500/b.Elapsed().Seconds(), "records/s")
			if _, err := s.EndRun(b.Context(), benchKey, records.Ending{Run: run.ID}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

var benchNext int

// BenchmarkRecords measures queries over -rows records.
func BenchmarkRecords(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir, nil)
	b.Cleanup(func() { _ = s.Close() })
	begin := time.Now()
	fill(b, s, benchKey, *benchRows)
	info, err := os.Stat(filepath.Join(dir, File))
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d records in %s, %.0f a second, %d MB", *benchRows, time.Since(begin).Round(time.Millisecond), float64(*benchRows)/time.Since(begin).Seconds(), info.Size()>>20)
	middle := order(*benchRows/2, 1)
	vendor := func(value string) []records.Filter {
		return []records.Filter{{Path: "$.vendor_id", Form: records.Text, Values: []string{value}}}
	}
	for name, query := range map[string]records.Query{
		"first page":              {Limit: 101},
		"page in the middle":      {Limit: 101, After: records.Position{ID: middle.ID}},
		"status":                  {Limit: 101, Status: []string{"approved"}},
		"modified":                {Limit: 101, ModifiedAfter: middle.UpdatedAt},
		"one in 104 by document":  {Limit: 101, Filters: vendor("1507")},
		"none found by document":  {Limit: 101, Filters: vendor("9")},
		"number by document":      {Limit: 101, Filters: []records.Filter{{Path: "$.net", Form: records.Number, Values: []string{fmt.Sprint(*benchRows-1, ".5045")}}}},
		"status none by document": {Limit: 101, Status: []string{"approved"}, Filters: vendor("9")},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Records(b.Context(), benchKey, query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
