package webhooks

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"gantry/relay/jobs"
	"gantry/relay/store"
)

// How much runs at a time, and for how long.
const (
	receivers = 32               // webhooks to which messages are sent at a time
	slice     = 30 * time.Second // how long a job sends to one of them, before others have a turn
	sweeping  = time.Minute
	ahead     = sweeping + 30*time.Second // what is due later, the next sweep finds
)

// kept is how long deliveries are kept, and how many of each webhook.
var kept = store.Retention{
	Delivered: 7 * 24 * time.Hour, MaxDelivered: 10_000, Failed: 30 * 24 * time.Hour, MaxFailed: 100_000, MaxWaiting: 1_000_000,
}

// Look is the job that finds the webhooks for which something is due.
type Look struct{}

// Kind implements jobs.Args.
func (Look) Kind() string { return "webhooks_look" }

// Deliver is the job that sends what is due to one webhook.
type Deliver struct {
	Webhook string `json:"webhook"`
}

// Kind implements jobs.Args.
func (Deliver) Kind() string { return "webhooks_deliver" }

// Tidy is the job that gives up and forgets what is old.
type Tidy struct{}

// Kind implements jobs.Args.
func (Tidy) Kind() string { return "webhooks_tidy" }

// Queue is what the dispatcher asks of the jobs; *jobs.Jobs is one.
type Queue interface {
	EnqueueAt(ctx context.Context, args jobs.Args, at time.Time)
	Stopping() <-chan struct{}
}

// Options are what a dispatcher works with.
type Options struct {
	Outbox  store.Outbox
	Queue   Queue
	Guard   Guard
	Version string // of the relay, for the User-Agent
	Logger  *slog.Logger
}

// Dispatcher sends the outbox. It starts nothing itself: its Tasks do.
type Dispatcher struct {
	outbox store.Outbox
	queue  Queue
	client *http.Client
	agent  string
	logger *slog.Logger
}

// New makes a dispatcher.
func New(o Options) *Dispatcher {
	return &Dispatcher{outbox: o.Outbox, queue: o.Queue, client: newClient(o.Guard), agent: "Gantry/" + o.Version, logger: o.Logger}
}

// Tasks are the dispatcher's jobs.
func (d *Dispatcher) Tasks() []jobs.Task {
	return []jobs.Task{
		jobs.On(1, time.Minute, d.look),
		jobs.On(receivers, slice+time.Minute, d.deliver),
		jobs.On(1, 10*time.Minute, d.tidy),
	}
}

// Sweeps find what has no job.
func (d *Dispatcher) Sweeps() []jobs.Sweep {
	return []jobs.Sweep{{Every: sweeping, Args: Look{}}, {Every: sweeping, Args: Tidy{}}}
}

// look makes a job for each webhook for which something is due soon.
func (d *Dispatcher) look(ctx context.Context, _ Look) error {
	due, err := d.outbox.DueWebhooks(ctx, time.Now().Add(ahead))
	for _, webhook := range due {
		d.queue.EnqueueAt(ctx, Deliver{webhook.ID}, webhook.At)
	}
	return err
}

// deliver sends what is due to a webhook, and looks when something is due again.
func (d *Dispatcher) deliver(ctx context.Context, job Deliver) error {
	r := &run{Dispatcher: d, webhook: job.Webhook, until: time.Now().Add(slice), underWay: map[int64]bool{}, answers: make(chan answer, window)}
	if err := r.drain(ctx); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if !d.stopping() {
		d.queue.EnqueueAt(ctx, Look{}, time.Now())
	}
	return nil
}

// tidy runs until everything is tidy.
func (d *Dispatcher) tidy(ctx context.Context, _ Tidy) error {
	for more := true; more && !d.stopping(); {
		var err error
		if more, err = d.outbox.TidyDeliveries(ctx, kept); err != nil {
			return err
		}
	}
	return nil
}

// stopping tells whether what runs should come to an end.
func (d *Dispatcher) stopping() bool {
	select {
	case <-d.queue.Stopping():
		return true
	default:
		return false
	}
}
