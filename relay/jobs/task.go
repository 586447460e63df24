package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
)

// Args say what a job looks at. They are kept as JSON, without a secret; equal ones of a kind are the same job.
type Args interface {
	// Kind names the kind of job: letters, digits and underscores.
	Kind() string
}

// Task is what is done for a kind of job. Made by On.
type Task struct {
	kind     string
	workers  int
	register func(*Jobs, *river.Workers) error
}

// On makes a task: at most so many of its jobs run at a time, and each has its limit. What runs should return soon after
// Stopping is closed, and must when ctx ends.
func On[A Args](workers int, limit time.Duration, work func(ctx context.Context, args A) error) Task {
	var none A
	return Task{kind: none.Kind(), workers: workers, register: func(j *Jobs, all *river.Workers) error {
		return river.AddWorkerSafely(all, &worker[A]{jobs: j, limit: limit, work: work})
	}}
}

// Sweep is a job that is made at the start and then again and again, to find what has no job.
type Sweep struct {
	Every time.Duration
	Args  Args
}

// worker runs one kind of job for River, to whom no job ever fails: what it would do then is the sweeps' to do.
type worker[A Args] struct {
	river.WorkerDefaults[A]
	jobs  *Jobs
	limit time.Duration
	work  func(ctx context.Context, args A) error
}

// Timeout implements river.Worker.
func (w *worker[A]) Timeout(*river.Job[A]) time.Duration { return w.limit }

// Work implements river.Worker.
func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	key, err := keyOf(job.Args)
	if err != nil {
		return err
	}
	if !w.jobs.turns.begin(key, time.Now()) {
		return nil
	}
	if err := w.guarded(ctx, job.Args); err != nil {
		w.jobs.logger.Warn("job failed", "kind", job.Kind, "job", key, "error", err)
	}
	if again := w.jobs.turns.end(key); !again.IsZero() {
		w.jobs.EnqueueAt(context.WithoutCancel(ctx), job.Args, again)
	}
	return nil
}

// guarded makes a panic an error.
func (w *worker[A]) guarded(ctx context.Context, args A) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return w.work(ctx, args)
}

// keyOf names a job: what is queued under the same name is the same.
func keyOf(args Args) (string, error) {
	text, err := json.Marshal(args)
	return args.Kind() + string(text), err
}
