package webhooks

import (
	"context"
	"slices"
	"time"

	"gantry/relay/store"
)

// Store gives the store with those of its writes that can make something due waking the dispatcher, after they are committed.
// The relay writes through it and through nothing else.
func (d *Dispatcher) Store(s store.Store) store.Store { return watched{s, d} }

// watched tells the dispatcher when there may be something to send.
type watched struct {
	store.Store
	dispatcher *Dispatcher
}

func (w watched) wake(ctx context.Context, err error) error {
	if err == nil {
		w.dispatcher.queue.EnqueueAt(context.WithoutCancel(ctx), Look{}, time.Now())
	}
	return err
}

// AppendEvents implements store.Events.
func (w watched) AppendEvents(ctx context.Context, events ...store.NewEvent) error {
	err := w.Store.AppendEvents(ctx, events...)
	if slices.ContainsFunc(events, func(e store.NewEvent) bool { return slices.Contains(store.WebhookKinds(), e.Kind) }) {
		return w.wake(ctx, err)
	}
	return err
}

// AddDeliveries implements store.Deliveries.
func (w watched) AddDeliveries(ctx context.Context, organisation string, messages []store.NewDelivery) error {
	return w.wake(ctx, w.Store.AddDeliveries(ctx, organisation, messages))
}

// AddTest implements store.Deliveries.
func (w watched) AddTest(ctx context.Context, organisation, webhook string) (store.Delivery, error) {
	d, err := w.Store.AddTest(ctx, organisation, webhook)
	return d, w.wake(ctx, err)
}

// ResendDelivery implements store.Deliveries.
func (w watched) ResendDelivery(ctx context.Context, organisation, webhook, id string) (store.Delivery, error) {
	d, err := w.Store.ResendDelivery(ctx, organisation, webhook, id)
	return d, w.wake(ctx, err)
}

// ChangeWebhook implements store.Webhooks.
func (w watched) ChangeWebhook(ctx context.Context, organisation, id string, change store.WebhookChange) (store.Webhook, error) {
	webhook, err := w.Store.ChangeWebhook(ctx, organisation, id, change)
	return webhook, w.wake(ctx, err)
}
