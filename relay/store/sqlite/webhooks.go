package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gantry/connectors"
	"gantry/relay/store"
)

const webhookColumns = `id, organisation, url, description, events, site, connection, state, reason, former_until, created_at,
	failures, rests, rests_until, failing_since, last_success_at, last_error`

const selectWebhooks = "SELECT " + webhookColumns + " FROM webhooks WHERE deleted_at IS NULL"

// webhookTargets are the places for webhookColumns.
func webhookTargets(w *store.Webhook) []any {
	return []any{
		&w.ID, &w.OrganisationID, &w.URL, &w.Description, patterns{&w.Events}, &w.SiteID, &w.ConnectionID, &w.State, &w.Reason,
		moment{&w.FormerSecretUntil}, moment{&w.CreatedAt}, &w.Health.Failures, &w.Health.Rests, moment{&w.Health.RestsUntil},
		moment{&w.Health.FailingSince}, moment{&w.Health.LastSuccessAt}, &w.Health.LastError,
	}
}

func scanWebhook(r row) (w store.Webhook, err error) {
	err = r.Scan(webhookTargets(&w)...)
	return w, err
}

// patterns reads a list of texts.
type patterns struct{ list *[]string }

// Scan implements sql.Scanner.
func (p patterns) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a list is stored as %T", value)
	}
	return json.Unmarshal([]byte(text), p.list)
}

func listText(items []string) string {
	text, _ := json.Marshal(items) // of texts
	return string(text)
}

// CreateWebhook implements store.Webhooks.
func (s *Store) CreateWebhook(ctx context.Context, w store.NewWebhook) (store.Webhook, error) {
	now := s.clock()
	id := store.NewID(store.WebhookID, now)
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Webhook, error) {
		var count int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM webhooks WHERE organisation = ? AND deleted_at IS NULL", w.OrganisationID).Scan(&count)
		if err == nil && count >= store.MaxWebhooks {
			err = store.ErrTooMany
		}
		if err != nil {
			return store.Webhook{}, err
		}
		err = exec(ctx, tx, `INSERT INTO webhooks (id, organisation, url, description, events, site, connection, state, secret, created_at)
			SELECT ?1, o.id, ?2, ?3, ?4, ?5, ?6, 'active', ?7, ?8 FROM organisations o WHERE o.id = ?9
			AND (?5 = '' OR EXISTS (SELECT 1 FROM sites WHERE organisation = ?9 AND id = ?5 AND deleted_at IS NULL))
			AND (?6 = '' OR EXISTS (SELECT 1 FROM connections WHERE organisation = ?9 AND id = ?6))`,
			id, w.URL, w.Description, listText(w.Events), w.SiteID, w.ConnectionID, w.Secret.Reveal(), millis(now), w.OrganisationID)
		if err != nil {
			return store.Webhook{}, err
		}
		return findWebhook(ctx, tx, w.OrganisationID, id)
	})
}

func findWebhook(ctx context.Context, q queryer, organisation, id string) (store.Webhook, error) {
	return one(ctx, q, scanWebhook, selectWebhooks+" AND organisation = ? AND id = ?", organisation, id)
}

// Webhook implements store.Webhooks.
func (s *Store) Webhook(ctx context.Context, organisation, id string) (store.Webhook, error) {
	return findWebhook(ctx, s.read, organisation, id)
}

// Webhooks implements store.Webhooks.
func (s *Store) Webhooks(ctx context.Context, organisation string, page store.Page) ([]store.Webhook, error) {
	return list(ctx, s.read, scanWebhook, selectWebhooks+" AND organisation = ? AND id > ? ORDER BY id LIMIT ?", organisation, page.After, page.Size())
}

// ChangeWebhook implements store.Webhooks.
func (s *Store) ChangeWebhook(ctx context.Context, organisation, id string, change store.WebhookChange) (store.Webhook, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Webhook, error) {
		w, err := findWebhook(ctx, tx, organisation, id)
		if err != nil {
			return w, err
		}
		before := w.State
		apply(&w, change)
		err = exec(ctx, tx, "UPDATE webhooks SET url = ?, description = ?, events = ?, state = ?, reason = ? WHERE id = ?",
			w.URL, w.Description, listText(w.Events), string(w.State), w.Reason, id)
		if err == nil && (w.State != before || change.URL != nil) {
			err = exec(ctx, tx, "UPDATE webhooks SET failures = 0, rests = 0, rests_until = NULL, failing_since = NULL, last_error = '' WHERE id = ?", id)
		}
		if err != nil {
			return w, err
		}
		return findWebhook(ctx, tx, organisation, id)
	})
}

func apply(w *store.Webhook, change store.WebhookChange) {
	if change.URL != nil {
		w.URL = *change.URL
	}
	if change.Description != nil {
		w.Description = *change.Description
	}
	if change.Events != nil {
		w.Events = change.Events
	}
	if change.State != nil {
		w.State, w.Reason = *change.State, ""
	}
}

// RotateWebhook implements store.Webhooks.
func (s *Store) RotateWebhook(ctx context.Context, organisation, id string, secret connectors.Secret, former time.Time) (store.Webhook, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Webhook, error) {
		err := exec(ctx, tx, `UPDATE webhooks SET former_secret = secret, former_until = ?, secret = ?
			WHERE organisation = ? AND id = ? AND deleted_at IS NULL`, millis(former), secret.Reveal(), organisation, id)
		if err != nil {
			return store.Webhook{}, err
		}
		return findWebhook(ctx, tx, organisation, id)
	})
}

// DeleteWebhook implements store.Webhooks. Its deliveries are many, perhaps: TidyDeliveries removes them.
func (s *Store) DeleteWebhook(ctx context.Context, organisation, id string) error {
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "UPDATE webhooks SET deleted_at = ?, secret = '', former_secret = '' WHERE organisation = ? AND id = ? AND deleted_at IS NULL",
			millis(s.clock()), organisation, id)
	})
}

// Endpoint implements store.Outbox.
func (s *Store) Endpoint(ctx context.Context, webhook string) (store.Endpoint, error) {
	now := s.clock()
	return one(ctx, s.read, func(r row) (e store.Endpoint, err error) {
		var secret, former string
		err = r.Scan(append(webhookTargets(&e.Webhook), &secret, &former)...)
		e.Secret = connectors.NewSecret(secret)
		if now.Before(e.FormerSecretUntil) {
			e.Former = connectors.NewSecret(former)
		}
		return e, err
	}, "SELECT "+webhookColumns+", secret, former_secret FROM webhooks WHERE deleted_at IS NULL AND id = ?", webhook)
}

// active checks that a webhook is the organisation's, and takes messages now.
func active(ctx context.Context, tx *sql.Tx, organisation, id string) error {
	w, err := findWebhook(ctx, tx, organisation, id)
	if err == nil && w.State != store.WebhookActive {
		return fmt.Errorf("webhook %s: %w", w.State, store.ErrState)
	}
	return err
}

// ofWebhook gives rows of a webhook of the organisation; store.ErrNotFound where there is no such webhook.
func ofWebhook[T any](ctx context.Context, s *Store, organisation, id string, read func(queryer) (T, error)) (T, error) {
	if _, err := findWebhook(ctx, s.read, organisation, id); err != nil {
		var none T
		return none, err
	}
	return read(s.read)
}

// unaffected takes it for no failure that nothing was changed.
func unaffected(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
