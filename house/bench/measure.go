package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// latency makes calls one after the other and gives each one's time, sorted.
func latency(ctx context.Context, r *road, calls int) ([]time.Duration, error) {
	took := make([]time.Duration, 0, calls)
	for range calls {
		start := time.Now()
		if err := r.call(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took, nil
}

// load is what a number of callers got done.
type load struct {
	calls   float64 // a second
	cpu     float64 // microseconds a call, of the whole process: client, road and backend
	mallocs float64 // a call, likewise
}

// callers makes calls from n goroutines for a while.
func callers(ctx context.Context, r *road, n int, during time.Duration) (load, error) {
	var count atomic.Int64
	var failure atomic.Pointer[error]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := cpuTime(), time.Now()
	end := start.Add(during)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for time.Now().Before(end) && failure.Load() == nil {
				if err := r.call(ctx); err != nil {
					failure.Store(&err)
					return
				}
				count.Add(1)
			}
		})
	}
	all.Wait()
	took, used := time.Since(start), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	if err := failure.Load(); err != nil {
		return load{}, fmt.Errorf("%s: %w", r.name, *err)
	}
	calls := float64(count.Load())
	return load{
		calls: calls / took.Seconds(), cpu: float64(used.Microseconds()) / calls,
		mallocs: float64(after.Mallocs-before.Mallocs) / calls,
	}, nil
}

// flow is what a bulk stream reached.
type flow struct {
	rate float64 // MB a second
	cpu  float64 // CPU seconds a GB
}

// bulk reads one stream to its end.
func bulk(ctx context.Context, r *road, size int64) (flow, error) {
	cpu, start := cpuTime(), time.Now()
	n, err := r.stream(ctx, size)
	if err != nil {
		return flow{}, fmt.Errorf("%s: %w", r.name, err)
	}
	return flow{
		rate: float64(n) / 1e6 / time.Since(start).Seconds(),
		cpu:  (cpuTime() - cpu).Seconds() / (float64(n) / 1e9),
	}, nil
}

// during gives the small calls' times while streams bulk streams run.
func during(ctx context.Context, r *road, streams, calls int) ([]time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for range streams {
		running.Go(func() { _, _ = r.stream(ctx, 1<<40) }) // ends with the context
	}
	time.Sleep(2 * time.Second) // the queues fill
	return latency(ctx, r, calls)
}

// cpuTime is what the process has used, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// median of numbers; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// quantile of sorted times, in microseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	return float64(sorted[int(q*float64(len(sorted)-1))].Nanoseconds()) / 1e3
}
