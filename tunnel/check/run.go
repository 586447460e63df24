package check

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Options of a run.
type Options struct {
	Program string // that asks: gantry-agent
	Version string
	Limit   time.Duration // of the whole; 0: 20 s
	AtOnce  int           // checks that run at a time; 0: five
	// Progress is told of each result as it comes, one call at a time; nil: nobody is.
	Progress func(done, all int, r Result)
}

// grace is how long a check may need to notice that its time is over.
const grace = 500 * time.Millisecond

// Run runs the checks, each after those that it needs, and returns within the limit and half a second: what has not
// begun by then is skipped. A check that does not end with its context is left behind, and failed.
func Run(ctx context.Context, checks []Check, o Options) Report {
	if o.Limit <= 0 {
		o.Limit = 20 * time.Second
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 5
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, o.Limit, fmt.Errorf("the %s for all checks were over", o.Limit))
	defer cancel()
	r := &run{Options: o, checks: checks, results: make([]*Result, len(checks)), ended: make(chan ending)}
	r.loop(ctx)
	report := Report{Schema: Schema, Program: o.Program, Version: o.Version, At: begin.UTC(), Results: make([]Result, len(checks))}
	for i, result := range r.results {
		report.Results[i] = *result
	}
	report.Status, report.MS = worst(report.Results), time.Since(begin).Milliseconds()
	return report
}

// run is the state of Run, owned by its loop.
type run struct {
	Options
	checks  []Check
	results []*Result // nil: not yet
	started []int     // checks that run now
	ended   chan ending
	done    int
}

// ending is a check's end.
type ending struct {
	index   int
	outcome Outcome
	took    time.Duration
}

func (r *run) loop(ctx context.Context) {
	for r.settle(); r.done < len(r.checks); r.settle() {
		r.start(ctx)
		if len(r.started) > 0 {
			e := <-r.ended // each ends with its limit
			r.started = slices.DeleteFunc(r.started, func(i int) bool { return i == e.index })
			r.finish(e.index, e.outcome, e.took)
			continue
		}
		r.giveUp(ctx)
	}
}

// settle skips what needs a check that did not pass, as far as that reaches.
func (r *run) settle() {
	for again := true; again; {
		again = false
		for i, c := range r.checks {
			if r.results[i] != nil {
				continue
			}
			if reason := r.blocked(c); reason != "" {
				r.finish(i, Skip(reason), 0)
				again = true
			}
		}
	}
}

// blocked says why a check cannot run; empty: it can, now or later.
func (r *run) blocked(c Check) string {
	for _, need := range c.Needs {
		i := r.index(need)
		if i < 0 {
			return fmt.Sprintf("it needs %s, which is none of the checks", need)
		}
		switch result := r.results[i]; {
		case result == nil: // not yet
		case result.Status == Failed:
			return need + " failed"
		case result.Status == Skipped:
			return result.Cause
		}
	}
	return ""
}

func (r *run) index(name string) int {
	return slices.IndexFunc(r.checks, func(c Check) bool { return c.Name == name })
}

// start begins what is ready, as far as there are places and time.
func (r *run) start(ctx context.Context) {
	for i, c := range r.checks {
		if ctx.Err() != nil || len(r.started) >= r.AtOnce {
			return
		}
		if r.results[i] == nil && !slices.Contains(r.started, i) && r.ready(c) {
			r.started = append(r.started, i)
			go func() {
				begin := time.Now()
				o := c.bounded(ctx)
				r.ended <- ending{i, o, time.Since(begin)}
			}()
		}
	}
}

func (r *run) ready(c Check) bool {
	return !slices.ContainsFunc(c.Needs, func(need string) bool { return r.results[r.index(need)] == nil })
}

// giveUp skips one of those that will not run: the time is over, or they need each other.
func (r *run) giveUp(ctx context.Context) {
	reason := "it needs a check that needs it"
	if ctx.Err() != nil {
		reason = context.Cause(ctx).Error()
	}
	r.finish(slices.Index(r.results, nil), Skip(reason), 0)
}

func (r *run) finish(i int, o Outcome, took time.Duration) {
	result := r.checks[i].result(o, took)
	r.results[i] = &result
	r.done++
	if r.Progress != nil {
		r.Progress(r.done, len(r.checks), result)
	}
}

// bounded runs the check, and leaves it behind when it does not end with its time.
func (c Check) bounded(ctx context.Context) Outcome {
	begin := time.Now()
	if c.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Limit)
		defer cancel()
	}
	found := make(chan Outcome, 1)
	go func() { found <- c.guarded(ctx) }()
	select {
	case o := <-found:
		return o
	case <-ctx.Done():
	}
	select {
	case o := <-found: // it noticed
		return o
	case <-time.After(grace):
		return Fail("CHK-OVERRUN", fmt.Sprintf("%s did not end within %s", c.Name, time.Since(begin).Round(100*time.Millisecond))).With("check", c.Name)
	}
}

// guarded makes a panic one failed check.
func (c Check) guarded(ctx context.Context) (o Outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = Fail("CHK-PANIC", fmt.Sprintf("%s: %v", c.Name, p), panicked(debug.Stack())).With("check", c.Name)
		}
	}()
	o = c.Run(ctx)
	if o.status == "" {
		panic("a check ended without an outcome")
	}
	return o
}

// panicked finds in a stack where the panic was: the function and place below runtime's own frames.
func panicked(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") && i+3 < len(lines) {
			return "in " + lines[i+2] + " at " + strings.TrimSpace(lines[i+3])
		}
	}
	return ""
}
