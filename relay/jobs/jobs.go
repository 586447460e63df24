package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// How the queue is worked. A job for now is taken up at once; polling finds those whose time has come.
const (
	pollEvery   = 5 * time.Second
	rescueAfter = 2 * time.Minute
	keepDone    = 10 * time.Minute
	lastWords   = 5 * time.Second // for jobs that are cut
)

// Jobs is the relay's queue. It is used once: Open, Start, Stop. It is safe for concurrent use.
type Jobs struct {
	db       *sql.DB
	logger   *slog.Logger
	client   atomic.Pointer[river.Client[*sql.Tx]] // nil: not started, or stopped
	turns    turns
	stopping chan struct{}
	once     sync.Once
}

// driver is River's for SQLite without its notifications, which are a table polled twenty times a second, by each queue, to reach
// other processes. There are none, and River tells its own queues by a call where a driver has none.
type driver struct{ *riversqlite.Driver }

// SupportsListener implements riverdriver.Driver.
func (driver) SupportsListener() bool { return false }

// SupportsListenNotify implements riverdriver.Driver.
func (driver) SupportsListenNotify() bool { return false }

// Open opens the queue in the data folder, which this process has for itself. Nothing runs before Start.
func Open(ctx context.Context, dir string, logger *slog.Logger) (*Jobs, error) {
	logger = slog.New(quiet{logger.Handler()})
	db, err := openFile(ctx, dir, logger)
	if err != nil {
		return nil, fmt.Errorf("open job queue: %w", err)
	}
	return &Jobs{db: db, logger: logger, turns: turns{byKey: map[string]turn{}}, stopping: make(chan struct{})}, nil
}

// Start begins to work. What is listed here is all that can be enqueued.
func (j *Jobs) Start(ctx context.Context, tasks []Task, sweeps []Sweep) error {
	config := &river.Config{
		Queues: map[string]river.QueueConfig{}, Workers: river.NewWorkers(), Logger: j.logger,
		FetchPollInterval: pollEvery, MaxAttempts: 1, RescueStuckJobsAfter: rescueAfter,
		CompletedJobRetentionPeriod: keepDone, CancelledJobRetentionPeriod: keepDone, DiscardedJobRetentionPeriod: keepDone,
	}
	for _, task := range tasks {
		if err := task.register(j, config.Workers); err != nil {
			return fmt.Errorf("start jobs: %w", err)
		}
		config.Queues[task.kind] = river.QueueConfig{MaxWorkers: task.workers}
	}
	for _, sweep := range sweeps {
		config.PeriodicJobs = append(config.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(sweep.Every),
			func() (river.JobArgs, *river.InsertOpts) { return sweep.Args, options(sweep.Args, time.Time{}) }, nil))
	}
	client, err := river.NewClient(driver{riversqlite.New(j.db)}, config)
	if err == nil {
		err = client.Start(context.WithoutCancel(ctx)) // its end is Stop's
	}
	if err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	j.client.Store(client)
	for _, sweep := range sweeps {
		j.Enqueue(ctx, sweep.Args)
	}
	return nil
}

// Enqueue has a job run soon, unless its like waits already.
func (j *Jobs) Enqueue(ctx context.Context, args Args) { j.EnqueueAt(ctx, args, time.Now()) }

// EnqueueAt has a job run at a time, within some seconds, or earlier if its like is wanted earlier. It does not fail: what
// cannot be queued now, and what comes before Start or after Stop, the sweeps find.
func (j *Jobs) EnqueueAt(ctx context.Context, args Args, at time.Time) {
	client := j.client.Load()
	key, err := keyOf(args)
	if client == nil || err == nil && !j.turns.want(key, at) {
		return
	}
	if err == nil {
		_, err = client.Insert(ctx, args, options(args, at))
	}
	if err != nil {
		j.turns.forget(key, at)
		j.logger.Warn("job not queued: the next sweep finds it", "kind", args.Kind(), "error", err)
	}
}

// options are those of a job. Each kind has a queue of its own, so that none waits for the workers of another. A job with a
// time is one for later to River, even if the time has come.
func options(args Args, at time.Time) *river.InsertOpts {
	if !at.After(time.Now()) {
		at = time.Time{}
	}
	return &river.InsertOpts{Queue: args.Kind(), ScheduledAt: at}
}

// Stopping is closed when the jobs that run should come to an end.
func (j *Jobs) Stopping() <-chan struct{} { return j.stopping }

// Stop ends the work in two stages: no new jobs, and those that run may finish until ctx ends; then they are cut.
func (j *Jobs) Stop(ctx context.Context) error {
	j.once.Do(func() { close(j.stopping) })
	client := j.client.Swap(nil)
	if client == nil {
		return nil
	}
	err := client.Stop(ctx)
	if err == nil || ctx.Err() == nil {
		return err
	}
	final, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	return errors.Join(fmt.Errorf("jobs cut: %w", err), client.StopAndCancel(final))
}

// Close closes the file. Call it after Stop.
func (j *Jobs) Close() error { return j.db.Close() }
