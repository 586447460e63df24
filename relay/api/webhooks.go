package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/relay/webhooks"
	"gantry/tunnel/fault"
)

// formerSecret is for how long the secret before a rotation signs as well.
const formerSecret = 24 * time.Hour

// webhookDocument is a webhook; its secret is shown when it is made and when it is rotated.
type webhookDocument struct {
	ID                string             `json:"id"`
	URL               string             `json:"url"`
	Description       string             `json:"description"`
	Events            []string           `json:"events"`               // types, first words of types with `.*`, or `*`
	Site              *string            `json:"site"`                 // null: every site's
	Connection        *string            `json:"connection"`           // null: every connection's
	State             store.WebhookState `json:"state"`                // while it is paused, messages wait; while it is disabled, there are no new ones
	Reason            string             `json:"reason,omitempty"`     // why it is disabled
	CreatedAt         *time.Time         `json:"created_at"`           // when it was made
	FailingSince      *time.Time         `json:"failing_since"`        // since when nothing was delivered that was tried; null: the last attempt succeeded
	RetriesAt         *time.Time         `json:"retries_at"`           // nothing is sent before, since too much failed
	LastSuccessAt     *time.Time         `json:"last_success_at"`      // when a message was delivered last
	LastError         string             `json:"last_error,omitempty"` // of the last attempt
	FormerSecretUntil *time.Time         `json:"former_secret_until"`  // until when messages are signed with the former secret as well
	Secret            string             `json:"secret,omitempty"`     // shown when it is made
}

// webhookWish is the body of POST /webhooks.
type webhookWish struct {
	URL         string   `json:"url"`                   // where to send it
	Description string   `json:"description,omitempty"` // for people; up to 200 bytes
	Events      []string `json:"events"`                // from 1 to 20 types, first words of types with `.*`, or `*`
	Site        string   `json:"site,omitempty"`        // only what happens at this site
	Connection  string   `json:"connection,omitempty"`  // only what happens to this connection
}

// webhookChange is the body of PATCH /webhooks/{id}.
type webhookChange struct {
	URL         *string             `json:"url,omitempty"`
	Description *string             `json:"description,omitempty"`
	Events      []string            `json:"events,omitempty"`
	State       *store.WebhookState `json:"state,omitempty" openapi:"active|paused"`
}

func showWebhook(w store.Webhook) webhookDocument {
	shown := webhookDocument{
		ID: w.ID, URL: w.URL, Description: w.Description, Events: w.Events, Site: optional(w.SiteID), Connection: optional(w.ConnectionID),
		State: w.State, Reason: w.Reason, CreatedAt: moment(w.CreatedAt), FailingSince: moment(w.Health.FailingSince),
		LastSuccessAt: moment(w.Health.LastSuccessAt), LastError: w.Health.LastError,
	}
	if now := time.Now(); now.Before(w.FormerSecretUntil) {
		shown.FormerSecretUntil = moment(w.FormerSecretUntil)
	}
	if w.Health.Rests > 0 {
		shown.RetriesAt = moment(w.Health.RestsUntil)
	}
	return shown
}

// optional shows a text, and null for none.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (a *API) createWebhook(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	wish, err := decode[webhookWish](body)
	if err == nil {
		err = a.sound(ctx, webhookChange{URL: &wish.URL, Description: &wish.Description, Events: append([]string{}, wish.Events...)})
	}
	if err != nil {
		return err
	}
	secret := webhooks.NewSecret()
	made, err := a.store.CreateWebhook(ctx, store.NewWebhook{
		OrganisationID: p.OrganisationID, URL: wish.URL, Description: wish.Description, Events: wish.Events,
		SiteID: wish.Site, ConnectionID: wish.Connection, Secret: secret,
	})
	switch {
	case errors.Is(err, store.ErrTooMany):
		return fault.New(fault.Conflict, "The organisation has %d webhooks already, which is the most.", store.MaxWebhooks).
			At(fault.HopRelay).Reaches(fault.ScopeOrganisation).Advise("Delete one that is not used, or let one webhook take more events.")
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.NotFound, "There is no such site or connection, or it is not yours.").Because(err)
	case err != nil:
		return err
	}
	about(w, store.Subject{Target: made.ID, SiteID: made.SiteID, ConnectionID: made.ConnectionID})
	shown := showWebhook(made)
	shown.Secret = secret.Reveal()
	w.Header().Set("Location", "/api/v1/webhooks/"+made.ID)
	return reply(w, http.StatusCreated, shown)
}

// sound checks what is given of a webhook.
func (a *API) sound(ctx context.Context, w webhookChange) error {
	if w.Description != nil && *w.Description != "" {
		if err := label("description", *w.Description); err != nil {
			return err
		}
	}
	if w.Events != nil {
		if err := wantedEvents(w.Events); err != nil {
			return err
		}
	}
	if w.State != nil && *w.State != store.WebhookActive && *w.State != store.WebhookPaused {
		return fault.New(fault.InvalidRequest, "A webhook cannot be put into this state.").Member("state", "INVALID", "active or paused")
	}
	if w.URL != nil {
		return a.guard.Check(ctx, *w.URL)
	}
	return nil
}

// wantedEvents checks what a webhook asks for.
func wantedEvents(patterns []string) error {
	if len(patterns) == 0 || len(patterns) > 20 {
		return fault.New(fault.InvalidRequest, "A webhook needs to know what to tell.").Member("events", "INVALID", "from 1 to 20 kinds of events, as `record.*`")
	}
	for _, pattern := range patterns {
		if !store.ValidPattern(pattern) {
			return fault.New(fault.InvalidRequest, "There is no such event.").
				Member("events", "INVALID", "%s is not one of %v, one of their first words with `.*`, or `*`", clip(pattern), store.WebhookKinds())
		}
	}
	return nil
}

func (a *API) listWebhooks(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	_, asked, err := page(r)
	if err != nil {
		return err
	}
	rows, err := a.store.Webhooks(ctx, p.OrganisationID, asked)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, paged(rows, asked, func(h store.Webhook) string { return h.ID }, showWebhook))
}

func (a *API) getWebhook(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	hook, err := a.store.Webhook(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, showWebhook(hook))
}

// changeWebhook changes the members that are given. `state` pauses a webhook, and takes up one that is paused or disabled.
func (a *API) changeWebhook(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	wish, err := decode[webhookChange](body)
	if err == nil {
		err = a.sound(ctx, wish)
	}
	if err != nil {
		return err
	}
	changed, err := a.store.ChangeWebhook(ctx, p.OrganisationID, r.PathValue("id"), store.WebhookChange(wish))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, showWebhook(changed))
}

func (a *API) rotateWebhook(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	secret := webhooks.NewSecret()
	rotated, err := a.store.RotateWebhook(ctx, p.OrganisationID, r.PathValue("id"), secret, time.Now().Add(formerSecret))
	if err != nil {
		return err
	}
	shown := showWebhook(rotated)
	shown.Secret = secret.Reveal()
	return reply(w, http.StatusOK, shown)
}

func (a *API) deleteWebhook(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	if err := a.store.DeleteWebhook(ctx, p.OrganisationID, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
