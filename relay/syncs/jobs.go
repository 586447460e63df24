package syncs

import (
	"context"
	"time"

	"gantry/relay/jobs"
	"gantry/relay/records"
)

// Bounds of the work.
const (
	together   = 8               // steps at a time, over all agents
	stepTime   = 3 * time.Minute // a step that takes longer is cut, and the run goes on with the next
	sweepEvery = time.Minute
	sweepTime  = 30 * time.Second
	dueAtOnce  = 500
	eraseTime  = 30 * time.Minute

	forwardTime = 5 * time.Minute
)

// stepArgs is a step of one sync.
type stepArgs struct {
	Connection string `json:"connection"`
	Entity     string `json:"entity"`
}

// Kind implements jobs.Args.
func (stepArgs) Kind() string { return "sync_step" }

// sweepArgs is a look for syncs that are due.
type sweepArgs struct{}

// Kind implements jobs.Args.
func (sweepArgs) Kind() string { return "sync_sweep" }

// forwardArgs is a look into the outbox.
type forwardArgs struct{}

// Kind implements jobs.Args.
func (forwardArgs) Kind() string { return "records_forward" }

// ForwardSoon has the outbox emptied.
func ForwardSoon(ctx context.Context, queue *jobs.Jobs) { queue.Enqueue(ctx, forwardArgs{}) }

// Tasks are the forwarder's background work.
func (f *Forwarder) Tasks() []jobs.Task {
	return []jobs.Task{jobs.On(1, forwardTime, func(ctx context.Context, _ forwardArgs) error { return f.Forward(ctx) })}
}

// Sweeps find what nobody said that it is in the outbox.
func (f *Forwarder) Sweeps() []jobs.Sweep {
	return []jobs.Sweep{{Every: sweepEvery, Args: forwardArgs{}}}
}

// eraseArgs is a look for records that are erased and not gone yet.
type eraseArgs struct{}

// Kind implements jobs.Args.
func (eraseArgs) Kind() string { return "records_erase" }

// Soon has a sync looked at as soon as there is a place.
func Soon(ctx context.Context, queue *jobs.Jobs, key records.Key) {
	queue.Enqueue(ctx, stepArgs(key))
}

// Tasks are the runner's background work.
func (r *Runner) Tasks(queue *jobs.Jobs) []jobs.Task {
	return []jobs.Task{
		jobs.On(together, stepTime, func(ctx context.Context, args stepArgs) error {
			next, err := r.Step(ctx, records.Key(args))
			if err == nil && !next.IsZero() {
				queue.EnqueueAt(ctx, args, next)
			}
			return err
		}),
		jobs.On(1, sweepTime, func(ctx context.Context, _ sweepArgs) error {
			due, err := r.Store.Due(ctx, time.Now(), dueAtOnce)
			for _, s := range due {
				queue.Enqueue(ctx, stepArgs(s.Key))
			}
			return err
		}),
		jobs.On(1, eraseTime, func(ctx context.Context, _ eraseArgs) error { return r.Store.Sweep(ctx) }),
	}
}

// Sweeps find the syncs that are due and have no job, and what an erase that was cut short has left.
func (r *Runner) Sweeps() []jobs.Sweep {
	return []jobs.Sweep{{Every: sweepEvery, Args: sweepArgs{}}, {Every: sweepEvery, Args: eraseArgs{}}}
}
