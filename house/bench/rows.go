package main

import (
	"context"
	"fmt"
	"time"
)

// row is one line of the table: a figure of every road, and the goal as a ratio to the limit's.
type row struct {
	name   string
	unit   string
	values map[string]float64 // by road
	goal   string
	met    func(values map[string]float64) bool // nil: no goal
}

// ratio of Gantry to the limit; 0 where one is missing.
func (r row) ratio() float64 {
	if r.values["limit"] == 0 {
		return 0
	}
	return r.values["gantry"] / r.values["limit"]
}

func atMost(factor float64) func(map[string]float64) bool {
	return func(v map[string]float64) bool { return v["gantry"] <= factor*v["limit"] }
}

func atLeast(factor float64) func(map[string]float64) bool {
	return func(v map[string]float64) bool { return v["gantry"] >= factor*v["limit"] }
}

// effort says how long to measure.
type effort struct {
	rounds  int
	calls   int           // of one latency round
	during  time.Duration // of one throughput round
	bulk    int64         // bytes of one bulk stream on loopback
	agents  int           // idle sessions
	handful int           // small calls beside a bulk stream

	profiles string // folder for profiles; empty: none
}

var (
	full  = effort{rounds: 7, calls: 2000, during: 3 * time.Second, bulk: 1 << 30, agents: 1000, handful: 60}
	quick = effort{rounds: 2, calls: 300, during: time.Second, bulk: 128 << 20, agents: 100, handful: 10}
)

// sample measures every road once a round, so that a change of the machine's mood meets all of them alike, and keeps
// each figure's median.
func sample(rounds int, roads []*road, measure func(*road) ([]float64, error)) (map[string][]float64, error) {
	all := map[string][][]float64{}
	for range rounds {
		for _, r := range roads {
			figures, err := measure(r)
			if err != nil {
				return nil, err
			}
			all[r.name] = append(all[r.name], figures)
		}
	}
	medians := map[string][]float64{}
	for name, runs := range all {
		for figure := range runs[0] {
			column := make([]float64, len(runs))
			for i, run := range runs {
				column[i] = run[figure]
			}
			medians[name] = append(medians[name], median(column))
		}
	}
	return medians, nil
}

// column takes one figure out of sample's medians.
func column(medians map[string][]float64, figure int) map[string]float64 {
	values := map[string]float64{}
	for name, figures := range medians {
		values[name] = figures[figure]
	}
	return values
}

// loopbackRows: latency, throughput, bulk and what each costs.
func loopbackRows(ctx context.Context, e effort, roads []*road) ([]row, error) {
	one, err := sample(e.rounds, roads, func(r *road) ([]float64, error) {
		times, err := latency(ctx, r, e.calls)
		if err != nil {
			return nil, err
		}
		return []float64{quantile(times, 0.5), quantile(times, 0.99)}, nil
	})
	if err != nil {
		return nil, err
	}
	many, err := sample(e.rounds, roads, func(r *road) ([]float64, error) {
		l, err := callers(ctx, r, 64, e.during)
		return []float64{l.calls, l.cpu, l.mallocs}, err
	})
	if err != nil {
		return nil, err
	}
	flows, err := sample(e.rounds, roads, func(r *road) ([]float64, error) {
		f, err := bulk(ctx, r, e.bulk)
		return []float64{f.rate, f.cpu}, err
	})
	if err != nil {
		return nil, err
	}
	return []row{
		{name: "latency, 1 caller, p50", unit: "µs", values: column(one, 0), goal: "≤ 1.3 × limit", met: atMost(1.3)},
		{name: "latency, 1 caller, p99", unit: "µs", values: column(one, 1), goal: "≤ 1.3 × limit", met: atMost(1.3)},
		{name: "calls at 64 callers", unit: "/s", values: column(many, 0), goal: "≥ 0.9 × limit", met: atLeast(0.9)},
		{name: "  CPU per call", unit: "µs", values: column(many, 1)},
		{name: "  allocations per call", unit: "", values: column(many, 2), goal: "counted, falling"},
		{name: "bulk NDJSON", unit: "MB/s", values: column(flows, 0), goal: "≥ 0.85 × limit, ≥ 1.5 × frp", met: bulkGoal},
		{name: "  CPU per GB", unit: "s", values: column(flows, 1)},
	}, nil
}

func bulkGoal(v map[string]float64) bool {
	return v["gantry"] >= 0.85*v["limit"] && v["gantry"] >= 1.5*v["frp"]
}

// farRow: one bulk stream over 40 ms of round trip at an unlimited rate. Plain yamux cannot pass its window once a
// round trip: 256 KiB / 40 ms.
func farRow(ctx context.Context, e effort, roads []*road) (row, error) {
	flows, err := sample(max(e.rounds/2, 1), roads, func(r *road) ([]float64, error) {
		f, err := bulk(ctx, r, e.bulk/2)
		return []float64{f.rate}, err
	})
	const yamuxDefault = 256 * 1024 / 0.040 / 1e6
	return row{
		name: "bulk, 1 stream, 40 ms", unit: "MB/s", values: column(flows, 0),
		goal: fmt.Sprintf("≥ 0.4 × limit (150 of 370), ≥ 10 × yamux's %.1f", yamuxDefault),
		met: func(v map[string]float64) bool {
			return v["gantry"] >= 150.0/370*v["limit"] && v["gantry"] >= 10*yamuxDefault
		},
	}, err
}

// busyRow: the small calls' p50 while bulk streams fill a link of 100 Mbit/s and 40 ms.
func busyRow(ctx context.Context, e effort, streams int, roads []*road) (row, error) {
	times, err := sample(max(e.rounds/2, 1), roads, func(r *road) ([]float64, error) {
		sorted, err := during(ctx, r, streams, e.handful)
		if err != nil {
			return nil, err
		}
		return []float64{quantile(sorted, 0.5) / 1e3}, nil
	})
	return row{
		name: fmt.Sprintf("small call p50, %d bulk, 100 Mbit/s, 40 ms", streams), unit: "ms", values: column(times, 0),
		goal: "≤ 1.3 × limit", met: atMost(1.3),
	}, err
}
