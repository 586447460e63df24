package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// deliveryDocument is a message to one webhook.
type deliveryDocument struct {
	ID             string          `json:"id"` // the message's: its webhook-id
	Webhook        string          `json:"webhook"`
	Type           store.EventKind `json:"type"`
	Subject        string          `json:"subject"`                                          // what it is about: messages of the same subject are sent in their order
	State          string          `json:"state" openapi:"pending|waiting|delivered|failed"` // waiting: for an earlier message about its subject
	CreatedAt      *time.Time      `json:"created_at"`
	ExpiresAt      *time.Time      `json:"expires_at"`        // when the last attempt is made
	Attempts       int             `json:"attempts"`          // since it was made, or sent again
	NextAttemptAt  *time.Time      `json:"next_attempt_at"`   // not before; null: it waits, or has ended
	LastAttemptAt  *time.Time      `json:"last_attempt_at"`   // when it was tried last
	ResponseStatus *int            `json:"response_status"`   // of the last attempt; null: there was no answer
	Error          string          `json:"error,omitempty"`   // of the last attempt
	Payload        json.RawMessage `json:"payload,omitempty"` // what is sent; only where one delivery is asked for, by a key that may read data
}

// waiting is the state of a pending delivery whose turn has not come.
const waiting = "waiting"

func showDelivery(d store.Delivery) deliveryDocument {
	shown := deliveryDocument{
		ID: d.ID, Webhook: d.WebhookID, Type: d.Kind, Subject: d.Subject, State: string(d.State), CreatedAt: moment(d.CreatedAt),
		ExpiresAt: moment(d.ExpiresAt), Attempts: d.Attempts, NextAttemptAt: moment(d.NextAttemptAt), LastAttemptAt: moment(d.LastAttemptAt),
		Error: d.Error, Payload: d.Body,
	}
	if d.State == store.DeliveryPending && d.NextAttemptAt.IsZero() {
		shown.State = waiting
	}
	if d.Status != 0 {
		shown.ResponseStatus = &d.Status
	}
	return shown
}

// listDeliveries gives the newest first. `state=pending` gives those that wait as well.
func (a *API) listDeliveries(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	query, asked, err := page(r, "state")
	if err != nil {
		return err
	}
	filter := store.DeliveryFilter{State: store.DeliveryState(query.Get("state"))}
	if filter.State != "" && !slices.Contains(store.DeliveryStates(), filter.State) {
		return badParameter("state", "one of %v", store.DeliveryStates())
	}
	rows, err := a.store.Deliveries(ctx, p.OrganisationID, r.PathValue("id"), filter, asked)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, paged(rows, asked, func(d store.Delivery) string { return d.ID }, showDelivery))
}

// getDelivery gives a delivery with what was sent, which is data of the plant: a key that may not read those gets it without.
func (a *API) getDelivery(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	d, err := a.store.Delivery(ctx, p.OrganisationID, r.PathValue("id"), r.PathValue("delivery"))
	if err != nil {
		return err
	}
	if !p.Allows(auth.ReadData) {
		d.Body = nil
	}
	return reply(w, http.StatusOK, showDelivery(d))
}

func (a *API) resendDelivery(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	d, err := a.store.ResendDelivery(ctx, p.OrganisationID, r.PathValue("id"), r.PathValue("delivery"))
	if err != nil {
		return inactive(err)
	}
	about(w, store.Subject{Target: d.ID})
	return reply(w, http.StatusAccepted, showDelivery(d))
}

// testWebhook sends a message of the kind webhook.test, whatever the webhook asks for.
func (a *API) testWebhook(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	d, err := a.store.AddTest(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return inactive(err)
	}
	return reply(w, http.StatusAccepted, showDelivery(d))
}

// inactive says of a webhook to which nothing is sent what to do.
func inactive(err error) error {
	if !errors.Is(err, store.ErrState) {
		return err
	}
	return fault.New(fault.Conflict, "The webhook is paused or disabled, so nothing is sent to it.").At(fault.HopRelay).
		Reaches(fault.ScopeOrganisation).Advise(`Take it up first: PATCH /webhooks/{id} {"state": "active"}.`).Because(err)
}
