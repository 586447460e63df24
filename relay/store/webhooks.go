package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"gantry/connectors"
)

// Webhooks are the addresses at which organisations want to be told what happens.
type Webhooks interface {
	// CreateWebhook adds an active webhook. ErrTooMany: the organisation has MaxWebhooks; ErrNotFound: it has no such site or
	// connection.
	CreateWebhook(ctx context.Context, webhook NewWebhook) (Webhook, error)
	Webhook(ctx context.Context, organisation, id string) (Webhook, error)
	Webhooks(ctx context.Context, organisation string, page Page) ([]Webhook, error)
	// ChangeWebhook changes what the change names. One that becomes active begins anew: its troubles are forgotten.
	ChangeWebhook(ctx context.Context, organisation, id string, change WebhookChange) (Webhook, error)
	// RotateWebhook gives a webhook a new secret. The one before signs as well until a time.
	RotateWebhook(ctx context.Context, organisation, id string, secret connectors.Secret, former time.Time) (Webhook, error)
	// DeleteWebhook ends a webhook, with its deliveries.
	DeleteWebhook(ctx context.Context, organisation, id string) error
}

// MaxWebhooks is how many webhooks an organisation may have.
const MaxWebhooks = 50

// WebhookState says whether a webhook is used.
type WebhookState string

// The states.
const (
	WebhookActive   WebhookState = "active"
	WebhookPaused   WebhookState = "paused"   // by its owner: messages wait for it
	WebhookDisabled WebhookState = "disabled" // it is gone, or too much waits for it: there are no new messages
)

// NewWebhook is a webhook that is to be made.
type NewWebhook struct {
	OrganisationID string
	URL            string
	Description    string
	Events         []string // kinds, `record.*` or `*`
	SiteID         string   // empty: every one, as the next
	ConnectionID   string
	Secret         connectors.Secret
}

// Webhook is an address that is told of what happens. Its secrets are Endpoint's.
type Webhook struct {
	ID                string
	OrganisationID    string
	URL               string
	Description       string
	Events            []string
	SiteID            string
	ConnectionID      string
	State             WebhookState
	Reason            string // why it is disabled
	FormerSecretUntil time.Time
	CreatedAt         time.Time
	Health            WebhookHealth
}

// WebhookHealth is what the last deliveries to a webhook tell of it.
type WebhookHealth struct {
	Failures      int       // in a row
	Rests         int       // how often in a row it was left alone for a while
	RestsUntil    time.Time // nothing is sent before
	FailingSince  time.Time // zero: the last attempt succeeded
	LastSuccessAt time.Time
	LastError     string
}

// WebhookChange says what of a webhook to change; nil members stay as they are.
type WebhookChange struct {
	URL         *string
	Description *string
	Events      []string
	State       *WebhookState
}

// Wants reports whether a webhook is to be told of a message.
func (w Webhook) Wants(m NewDelivery) bool {
	return (w.SiteID == "" || w.SiteID == m.SiteID) && (w.ConnectionID == "" || w.ConnectionID == m.ConnectionID) &&
		slices.ContainsFunc(w.Events, func(pattern string) bool { return covers(pattern, m.Kind) })
}

// covers reports whether a pattern (`record.*`, `*`, or a kind) holds for a kind.
func covers(pattern string, kind EventKind) bool {
	prefix, wild := strings.CutSuffix(pattern, "*")
	return pattern == string(kind) || wild && strings.HasPrefix(string(kind), prefix)
}

// Records have no log of events; webhooks alone tell of them.
const (
	RecordCreated EventKind = "record.created"
	RecordUpdated EventKind = "record.updated"
	RecordDeleted EventKind = "record.deleted"
)

// WebhookTest is what a webhook gets when its owner asks for a test.
const WebhookTest EventKind = "webhook.test"

// WebhookKinds lists what a webhook can ask for.
func WebhookKinds() []EventKind {
	return []EventKind{
		ConnectionStateChanged, ConnectionReauthNeeded, SyncCompleted, SyncFailed,
		RecordCreated, RecordUpdated, RecordDeleted, AgentConnected, AgentDisconnected,
	}
}

// ValidPattern reports whether a pattern holds for any kind: a kind itself, its first word with `.*`, or `*`.
func ValidPattern(pattern string) bool {
	word, wild := strings.CutSuffix(pattern, ".*")
	return pattern == "*" || slices.ContainsFunc(WebhookKinds(), func(kind EventKind) bool {
		first, _, _ := strings.Cut(string(kind), ".")
		return pattern == string(kind) || wild && word == first
	})
}
