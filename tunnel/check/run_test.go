package check

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// after is a check that takes its time, and then finds.
func after(d time.Duration, o Outcome) func(context.Context) Outcome {
	return func(ctx context.Context) Outcome {
		select {
		case <-ctx.Done():
			return Fail("CHK-OVERRUN", "noticed")
		case <-time.After(d):
			return o
		}
	}
}

// outcomes gives each check's status and, where it has one, its cause.
func outcomes(r Report) map[string]string {
	all := map[string]string{}
	for _, result := range r.Results {
		all[result.Check] = string(result.Status)
		if result.Status == Skipped {
			all[result.Check] += ": " + result.Cause
		}
	}
	return all
}

func TestOneCauseIsOneFailure(t *testing.T) {
	broken := Fail("CHK-PANIC")
	r := Run(t.Context(), []Check{
		{Name: "net.session", Needs: []string{"net.tls", "host.clock"}, Run: after(0, Pass())},
		{Name: "net.tls", Needs: []string{"net.tcp"}, Run: after(0, Pass())},
		{Name: "net.tcp", Needs: []string{"net.dns"}, Run: after(0, broken)},
		{Name: "net.dns", Run: after(0, Pass())},
		{Name: "host.clock", Run: after(0, Warn("CHK-OVERRUN"))},
		{Name: "host.beside", Needs: []string{"host.clock"}, Run: after(0, Pass())},
		{Name: "relay.known", Run: after(0, Skip("this agent is not enrolled"))},
		{Name: "relay.version", Needs: []string{"relay.known"}, Run: after(0, Pass())},
		{Name: "x.typo", Needs: []string{"net.tpc"}, Run: after(0, Pass())},
		{Name: "x.hen", Needs: []string{"x.egg"}, Run: after(0, Pass())},
		{Name: "x.egg", Needs: []string{"x.hen"}, Run: after(0, Pass())},
	}, Options{Program: "gantry-agent", Version: "1"})
	want := map[string]string{
		"net.session": "skip: net.tcp failed", "net.tls": "skip: net.tcp failed", "net.tcp": "fail", "net.dns": "pass",
		"host.clock": "warn", "host.beside": "pass",
		"relay.known": "skip: this agent is not enrolled", "relay.version": "skip: this agent is not enrolled",
		"x.typo": "skip: it needs net.tpc, which is none of the checks",
		"x.hen":  "skip: it needs a check that needs it", "x.egg": "skip: it needs a check that needs it",
	}
	if diff := cmp.Diff(want, outcomes(r)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if r.Status != Failed || r.Schema != Schema || r.Program != "gantry-agent" || r.Count(Skipped) != 7 {
		t.Errorf("report: %+v", r)
	}
	for i, name := range []string{"net.session", "net.tls", "net.tcp"} {
		if r.Results[i].Check != name {
			t.Errorf("result %d is of %s: the order is not that of the checks", i, r.Results[i].Check)
		}
	}
}

func TestTheWorstIsTheWhole(t *testing.T) {
	pass, warn, fail, skip := after(0, Pass()), after(0, Warn("CHK-PANIC")), after(0, Fail("CHK-PANIC")), after(0, Skip("no"))
	for _, tt := range []struct {
		want Status
		run  []func(context.Context) Outcome
	}{
		{Passed, nil}, {Passed, []func(context.Context) Outcome{pass, skip}}, {Warned, []func(context.Context) Outcome{warn, pass}},
		{Failed, []func(context.Context) Outcome{warn, fail, pass}},
	} {
		var checks []Check
		for i, f := range tt.run {
			checks = append(checks, Check{Name: fmt.Sprintf("a.%d", i), Run: f})
		}
		if r := Run(t.Context(), checks, Options{}); r.Status != tt.want {
			t.Errorf("%v: %s, want %s", outcomes(r), r.Status, tt.want)
		}
	}
}

func TestJoin(t *testing.T) {
	a := Report{Program: "gantry-agent", Status: Passed, MS: 5, Results: []Result{{Check: "host.a", Group: "host", Status: Passed}, {Check: "config.a", Group: "config", Status: Passed}}}
	b := Report{Status: Warned, MS: 9, Results: []Result{{Check: "network.a", Group: "network", Status: Warned}, {Check: "host.b", Group: "host", Status: Skipped}}}
	joined := a.Join(b)
	var order []string
	for _, r := range joined.Results {
		order = append(order, r.Check)
	}
	if diff := cmp.Diff([]string{"host.a", "host.b", "config.a", "network.a"}, order); diff != "" || joined.Status != Warned || joined.MS != 9 || joined.Program != "gantry-agent" {
		t.Errorf("%+v\n%s", joined, diff)
	}
}

func TestAPanicIsOneFailedCheck(t *testing.T) {
	r := Run(t.Context(), []Check{
		{Name: "a.bad", Run: func(context.Context) Outcome { panic("index out\x1b[31m of range") }},
		{Name: "a.mute", Run: func(context.Context) Outcome { return Outcome{} }},
		{Name: "a.good", Run: after(0, Pass())},
	}, Options{})
	if r.Results[0].ID != "CHK-PANIC" || r.Results[1].ID != "CHK-PANIC" || r.Results[2].Status != Passed {
		t.Fatalf("%+v", r.Results)
	}
	if e := r.Results[0].Evidence; len(e) != 2 || e[0] != "a.bad: index out[31m of range" || !strings.Contains(e[1], "run_test.go:") {
		t.Errorf("evidence: %q", e)
	}
	if !strings.Contains(r.Results[0].Cause, "a.bad") || r.Results[0].For != Cloud {
		t.Errorf("words: %+v", r.Results[0])
	}
}

func TestOverruns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := func(context.Context) Outcome { time.Sleep(time.Hour); return Pass() }
		r := Run(t.Context(), []Check{
			{Name: "a.deaf", Limit: 2 * time.Second, Run: deaf},
			{Name: "a.hears", Limit: 3 * time.Second, Run: after(time.Hour, Pass())},
			{Name: "a.next", Needs: []string{"a.hears"}, Run: after(0, Pass())},
			{Name: "b.deaf", Run: deaf},
			{Name: "b.late", Needs: []string{"b.slow"}, Run: after(0, Pass())},
			{Name: "b.slow", Run: after(20*time.Second+time.Millisecond, Pass())},
			{Name: "c.never", Needs: []string{"c.slow"}, Run: after(0, Pass())},
			{Name: "c.slow", Run: func(context.Context) Outcome {
				time.Sleep(20*time.Second + 100*time.Millisecond)
				return Pass("late, but well")
			}},
		}, Options{AtOnce: 10})
		want := map[string]string{
			"a.deaf": "fail", "a.hears": "fail", "a.next": "skip: a.hears failed",
			"b.deaf": "fail", "b.slow": "fail", "b.late": "skip: b.slow failed",
			"c.slow": "pass", "c.never": "skip: the 20s for all checks were over",
		}
		if diff := cmp.Diff(want, outcomes(r)); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
		if r.MS != 20_500 || r.Results[0].MS != 2_500 || r.Results[1].MS != 3_000 {
			t.Errorf("took %d ms in all, %d and %d", r.MS, r.Results[0].MS, r.Results[1].MS)
		}
		if got := r.Results[0]; got.ID != "CHK-OVERRUN" || got.Evidence[0] != "a.deaf did not end within 2.5s" {
			t.Errorf("overrun: %+v", got)
		}
		time.Sleep(time.Hour) // those that were left behind end
	})
}

func TestFiveAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var checks []Check
		for i := range 12 {
			checks = append(checks, Check{Name: fmt.Sprintf("a.%d", i), Run: after(time.Second, Pass())})
		}
		var seen []int
		r := Run(t.Context(), checks, Options{Progress: func(done, all int, last Result) {
			if all != 12 || last.Status != Passed {
				t.Errorf("progress: %d of %d, %+v", done, all, last)
			}
			seen = append(seen, done)
		}})
		if r.MS != 3000 || len(seen) != 12 || seen[11] != 12 {
			t.Errorf("took %d ms, want 3000 for 12 checks of one second, five at a time; progress %v", r.MS, seen)
		}
	})
}

func TestACallerThatStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := Run(ctx, []Check{
			{Name: "a.one", Run: after(5*time.Second, Pass())},
			{Name: "a.two", Run: after(0, Pass())},
		}, Options{AtOnce: 1})
		if got := outcomes(r); got["a.one"] != "fail" || got["a.two"] != "skip: context deadline exceeded" || r.MS != 1000 {
			t.Errorf("%v in %d ms", got, r.MS)
		}
	})
}

func TestWordsAreFilledAndBounded(t *testing.T) {
	c := Check{Name: "a.b", Hop: "network"}
	o := Fail("CHK-PANIC", "page:\t<b>\x00Blocked\x1b[2J\n by\u202e policy</b>", "", strings.Repeat("x", 1000)).With("check", "one").With("check", "two")
	r := c.result(o.At("policy"), 1500*time.Microsecond)
	if r.Hop != "policy" || r.MS != 1 || strings.Contains(r.Cause+r.Fix, "{") || !strings.Contains(r.Cause, "two") {
		t.Errorf("%+v", r)
	}
	if len(r.Evidence) != 2 || r.Evidence[0] != "page: <b>Blocked[2J by policy</b>" || len(r.Evidence[1]) != maxLine {
		t.Errorf("evidence: %q", r.Evidence)
	}
	if many := c.result(Pass(strings.Split(strings.Repeat("x ", 100), " ")...), 0); len(many.Evidence) != maxEvidence {
		t.Errorf("%d lines of evidence", len(many.Evidence))
	}
}
