package installer

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var errBroken = errors.New("broken")

// recorder is a machine on which steps leave a trace.
type recorder struct{ there []string }

func (r *recorder) step(name string, err error) Step {
	return Step{Name: name, Line: "make " + name, Do: func(context.Context) (Undo, error) {
		if slices.Contains(r.there, name) {
			return nil, err
		}
		r.there = append(r.there, name)
		return func(ctx context.Context) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.there = slices.DeleteFunc(r.there, func(s string) bool { return s == name })
			return nil
		}, err
	}}
}

func told(events *[]string) func(Event) {
	return func(e Event) {
		if e.Outcome != Begun {
			*events = append(*events, e.Step.Name+" "+string(e.Outcome))
		}
	}
}

func TestAPlanIsDoneAndRepaired(t *testing.T) {
	r := &recorder{there: []string{"b"}}
	plan := Plan{r.step("a", nil), r.step("b", nil), r.step("c", nil)}
	var first, second []string
	if err := plan.Run(t.Context(), told(&first)); err != nil {
		t.Fatal(err)
	}
	if err := plan.Run(t.Context(), told(&second)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a done", "b already", "c done"}, first); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a already", "b already", "c already"}, second); diff != "" {
		t.Error(diff)
	}
}

func TestAFailingStepIsTakenBackWithThoseBeforeIt(t *testing.T) {
	r := &recorder{there: []string{"b"}}
	var events []string
	err := Plan{r.step("a", nil), r.step("b", nil), r.step("c", nil), r.step("half", errBroken), r.step("never", nil)}.Run(t.Context(), told(&events))
	failure, ok := errors.AsType[*StepError](err)
	if !ok || !errors.Is(err, errBroken) || len(failure.Left) > 0 || failure.Step.Name != "half" {
		t.Errorf("got %#v", err)
	}
	if diff := cmp.Diff([]string{"a done", "b already", "c done", "half failed", "half undone", "c undone", "a undone"}, events); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b"}, r.there); diff != "" {
		t.Errorf("the machine is not as it was: %s", diff)
	}
}

func TestAnInterruptedPlanIsTakenBack(t *testing.T) {
	r := &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	interrupt := Step{Name: "interrupt", Do: func(context.Context) (Undo, error) { cancel(); return Kept, nil }}
	err := Plan{r.step("a", nil), interrupt, r.step("b", nil)}.Run(ctx, func(Event) {})
	if !errors.Is(err, context.Canceled) || len(r.there) > 0 {
		t.Errorf("got %v, left %v", err, r.there)
	}
}

func TestAWayBackThatFailsIsTold(t *testing.T) {
	stuck := Step{Name: "stuck", Line: "make stuck", Do: func(context.Context) (Undo, error) {
		return func(context.Context) error { return errBroken }, nil
	}}
	r := &recorder{}
	err := Plan{r.step("a", nil), stuck, r.step("b", errors.New("no"))}.Run(t.Context(), func(Event) {})
	failure, ok := errors.AsType[*StepError](err)
	if !ok || len(failure.Left) != 1 || !errors.Is(failure.Left[0], errBroken) || len(r.there) > 0 {
		t.Errorf("got %#v, left %v", err, r.there)
	}
}

func TestAClearingGoesOn(t *testing.T) {
	r := &recorder{}
	var events []string
	err := Plan{r.step("a", nil), r.step("b", errBroken), r.step("c", nil)}.Clear(t.Context(), told(&events))
	if !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"a done", "b failed", "c done"}, events); diff != "" {
		t.Error(diff)
	}
}
