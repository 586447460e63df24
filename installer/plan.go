package installer

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Undo takes back what a step changed, and no more.
type Undo func(ctx context.Context) error

// Step is one thing that a plan does.
type Step struct {
	Name string // stable, for scripts: "binary"
	Line string // what it does, for people: "copy the program to /usr/local/bin/gantry-agent"

	// Do makes it so. It gives the way back of what it changed, also beside an error; nil: it was so already. What
	// changes and needs no way back gives Kept.
	Do func(ctx context.Context) (Undo, error)
}

// Kept is the way back of a change that may stay.
func Kept(context.Context) error { return nil }

// Plan is what an installation or a removal does, in order. Its lines are the dry run.
type Plan []Step

// Outcome is what became of a step.
type Outcome string

// The outcomes of a step, in the order in which they may come.
const (
	Begun     Outcome = "begun"
	Done      Outcome = "done"
	Already   Outcome = "already" // nothing had to be done
	Failed    Outcome = "failed"
	Undone    Outcome = "undone"     // after a later step failed
	NotUndone Outcome = "not_undone" // the way back failed as well
)

// Event is the progress of a step.
type Event struct {
	Step    Step
	Outcome Outcome
	Err     error // of Failed and NotUndone
}

// undoTime bounds the way back, which runs also when the person has pressed Ctrl-C.
const undoTime = 2 * time.Minute

// StepError is a plan's failure: which step, why, and what could not be taken back.
type StepError struct {
	Step Step
	Err  error
	Left []error // ways back that failed; empty: the machine is as it was
}

func (e *StepError) Error() string { return e.Step.Line + ": " + e.Err.Error() }

func (e *StepError) Unwrap() error { return e.Err }

// Run does the steps. When one fails, those before it are undone in reverse order, and the error is a *StepError. tell
// hears of every step from the goroutine of the caller.
func (p Plan) Run(ctx context.Context, tell func(Event)) error {
	type taken struct {
		step Step
		undo Undo
	}
	var back []taken
	for _, step := range p {
		tell(Event{step, Begun, nil})
		undo, err := step.do(ctx)
		if undo != nil {
			back = append(back, taken{step, undo})
		}
		if err == nil {
			tell(Event{step, outcome(undo), nil})
			continue
		}
		tell(Event{step, Failed, err})
		failure := &StepError{Step: step, Err: err}
		undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		for i := len(back) - 1; i >= 0; i-- {
			if err := back[i].undo(undoing); err != nil {
				failure.Left = append(failure.Left, fmt.Errorf("undo %q: %w", back[i].step.Line, err))
				tell(Event{back[i].step, NotUndone, err})
				continue
			}
			tell(Event{back[i].step, Undone, nil})
		}
		return failure
	}
	return nil
}

// Clear does every step, also after one that failed, and takes nothing back: a removal gets as far as it can. The error
// joins a *StepError for each that failed.
func (p Plan) Clear(ctx context.Context, tell func(Event)) error {
	var failures []error
	for _, step := range p {
		tell(Event{step, Begun, nil})
		undo, err := step.do(ctx)
		if err != nil {
			tell(Event{step, Failed, err})
			failures = append(failures, &StepError{Step: step, Err: err})
			continue
		}
		tell(Event{step, outcome(undo), nil})
	}
	return errors.Join(failures...)
}

// do does not begin what nobody waits for.
func (s Step) do(ctx context.Context) (Undo, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	return s.Do(ctx)
}

func outcome(undo Undo) Outcome {
	if undo == nil {
		return Already
	}
	return Done
}
