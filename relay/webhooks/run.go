package webhooks

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"gantry/relay/store"
)

// settleTime is how long the noting of answers may take, also when the relay stops.
const settleTime = 10 * time.Second

// run sends what is due to one webhook, until nothing is, or others should have a turn.
type run struct {
	*Dispatcher
	webhook  string
	until    time.Time
	to       store.Endpoint
	underWay map[int64]bool
	answers  chan answer // as much as is under way fits in
	sending  sync.WaitGroup
}

// drain keeps messages under way, and notes answers as they come: those that came while others were noted together.
func (r *run) drain(ctx context.Context) error {
	defer r.sending.Wait()
	for {
		if err := r.fill(ctx); err != nil {
			return err
		}
		if len(r.underWay) == 0 {
			return nil
		}
		if err := r.settle(ctx, r.collect()); err != nil {
			return err
		}
	}
}

// fill sends as much as may be under way. The webhook is looked up each time, so that what its owner changes takes effect.
func (r *run) fill(ctx context.Context) (err error) {
	if r.over(ctx) {
		return nil
	}
	if r.to, err = r.outbox.Endpoint(ctx, r.webhook); err != nil {
		return err
	}
	room := free(r.to.Health, len(r.underWay))
	if r.to.State != store.WebhookActive || time.Now().Before(r.to.Health.RestsUntil) || room <= 0 {
		return nil
	}
	due, err := r.outbox.DueDeliveries(ctx, r.webhook, slices.Collect(maps.Keys(r.underWay)), room)
	to := r.to
	for _, message := range due {
		r.underWay[message.Number] = true
		r.sending.Go(func() { r.answers <- r.send(ctx, to, message) })
	}
	return err
}

// over tells whether no more messages should be sent.
func (r *run) over(ctx context.Context) bool {
	return r.stopping() || ctx.Err() != nil || time.Now().After(r.until)
}

// collect waits for an answer, and takes those that are there as well.
func (r *run) collect() []answer {
	all := []answer{<-r.answers}
	for {
		select {
		case a := <-r.answers:
			all = append(all, a)
		default:
			return all
		}
	}
}

// settle notes answers. An attempt that was cut by us is none: the message may have arrived, and is sent again.
func (r *run) settle(ctx context.Context, answers []answer) error {
	settled := store.Settlement{Health: r.to.Health}
	for _, a := range answers {
		delete(r.underWay, a.due.Number)
		if a.err != nil && a.status == 0 && ctx.Err() != nil {
			continue
		}
		settled.Recovered = settled.Recovered || a.err == nil && settled.Health.Rests > 0
		settled.Health = judge(settled.Health, a)
		settled.Attempts = append(settled.Attempts, noted(a))
		if a.status == http.StatusGone {
			settled.Disable = "The receiver answered 410 Gone."
		}
	}
	if len(settled.Attempts) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	r.tell(settled)
	return r.outbox.SettleDeliveries(ctx, r.webhook, settled)
}

// noted is what the outbox keeps of an answer.
func noted(a answer) store.Attempt {
	n := store.Attempt{Number: a.due.Number, Subject: a.due.Subject, State: store.Delivered, At: a.at, Status: a.status, Error: a.problem()}
	if a.err == nil {
		return n
	}
	n.State = store.DeliveryFailed
	if at, again := next(a.due.Attempts+1, a.at, a.due.ExpiresAt, a.asked); again && a.status != http.StatusGone {
		n.State, n.Next = store.DeliveryPending, at
	}
	return n
}

// tell logs the turns in a webhook's life: it is left alone for the first time, it is well again, it is gone.
func (r *run) tell(settled store.Settlement) {
	switch before, now := r.to.Health, settled.Health; {
	case settled.Disable != "":
		r.logger.Warn("webhook disabled", "webhook_id", r.webhook, "reason", settled.Disable)
	case before.Rests == 0 && now.Rests > 0:
		r.logger.Warn("webhook fails", "webhook_id", r.webhook, "since", now.FailingSince, "error", now.LastError)
	case settled.Recovered:
		r.logger.Info("webhook is well again", "webhook_id", r.webhook)
	}
}
