package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"gantry/connectors"
)

// Deliveries are messages on their way to webhooks: one for each webhook that wants the message. AppendEvents makes those of
// its events in its own transaction.
//
// Messages about one subject go to a webhook one after the other, in the order in which they were added: the first that is
// pending has its turn, and those behind it wait until it is delivered or has failed for good.
type Deliveries interface {
	// AddDeliveries has an organisation's webhooks told of messages, all or none. A message that a webhook has got already, by
	// its id, is not added again: whoever does not know whether it was added adds it once more.
	AddDeliveries(ctx context.Context, organisation string, messages []NewDelivery) error
	// AddTest has one webhook told that it works, whatever it wants to hear. ErrState: it is not active.
	AddTest(ctx context.Context, organisation, webhook string) (Delivery, error)
	// Deliveries lists those of a webhook, the newest first, without their bodies; After is the id of the one before.
	Deliveries(ctx context.Context, organisation, webhook string, filter DeliveryFilter, page Page) ([]Delivery, error)
	Delivery(ctx context.Context, organisation, webhook, id string) (Delivery, error)
	// ResendDelivery begins a delivery again, whatever became of it. ErrState: the webhook is not active.
	ResendDelivery(ctx context.Context, organisation, webhook, id string) (Delivery, error)
}

// Outbox is what the deliverer of webhooks asks of the store.
type Outbox interface {
	// DueWebhooks lists the webhooks to which something can be sent until a time, and from when.
	DueWebhooks(ctx context.Context, until time.Time) ([]DueWebhook, error)
	// Endpoint gives a webhook as its messages need it, of whatever organisation.
	Endpoint(ctx context.Context, webhook string) (Endpoint, error)
	// DueDeliveries lists what can be sent to a webhook now, the longest due first, without those that are under way.
	DueDeliveries(ctx context.Context, webhook string, underWay []int64, limit int) ([]DueDelivery, error)
	// SettleDeliveries notes what came of attempts, lets those that waited have their turn, and keeps what it tells of the webhook.
	SettleDeliveries(ctx context.Context, webhook string, s Settlement) error
	// TidyDeliveries gives up what is too old, and forgets what is kept long enough: a bounded number at a time. It tells whether
	// there may be more.
	TidyDeliveries(ctx context.Context, keep Retention) (more bool, err error)
}

// MaxMessage is the most bytes of a message's Data.
const MaxMessage = 256 << 10

// DeliveryLife is for how long a message is tried.
const DeliveryLife = 24 * time.Hour

// NewDelivery is a message for whichever webhooks want it.
type NewDelivery struct {
	ID           string // the message's, the same whenever it is added again; its webhook-id
	Kind         EventKind
	At           time.Time
	SiteID       string
	ConnectionID string
	Subject      string          // what it is about: messages of the same subject keep their order
	Data         json.RawMessage // an object
}

// Body writes the message as receivers get it.
func (m NewDelivery) Body() ([]byte, error) {
	if len(m.Data) > MaxMessage {
		return nil, fmt.Errorf("message %s: its data are larger than %d bytes", m.ID, MaxMessage)
	}
	return json.Marshal(struct {
		Type      EventKind       `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}{m.Kind, m.At.UTC(), m.Data})
}

// Tells gives the message of an event, if webhooks are told of its kind.
func Tells(e Event) (NewDelivery, bool) {
	if !slices.Contains(WebhookKinds(), e.Kind) {
		return NewDelivery{}, false
	}
	subject := e.ConnectionID
	if subject == "" {
		subject = e.AgentID
	}
	return NewDelivery{
		ID: e.ID, Kind: e.Kind, At: e.At, SiteID: e.SiteID, ConnectionID: e.ConnectionID, Subject: subject, Data: eventData(e),
	}, true
}

// eventData writes what an event tells: its own data, and where and why it happened.
func eventData(e Event) json.RawMessage {
	data := map[string]any{}
	var own map[string]json.RawMessage
	if json.Unmarshal(e.Data, &own) == nil { // events may have none
		for name, value := range own {
			data[name] = value
		}
	}
	about := map[string]string{
		"site_id": e.SiteID, "agent_id": e.AgentID, "connection_id": e.ConnectionID, "entity": e.Entity, "operation": e.Operation,
		"code": e.Code, "request_id": e.RequestID, "message": e.Message,
	}
	maps.DeleteFunc(about, func(_, value string) bool { return value == "" })
	for name, value := range about {
		data[name] = value
	}
	text, _ := json.Marshal(data) // of texts and of JSON that was valid
	return text
}

// DeliveryState says what became of a delivery.
type DeliveryState string

// The states. A pending delivery without NextAttemptAt waits for its turn.
const (
	DeliveryPending DeliveryState = "pending"
	Delivered       DeliveryState = "delivered"
	DeliveryFailed  DeliveryState = "failed" // for good
)

// DeliveryStates lists the states.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{DeliveryPending, Delivered, DeliveryFailed}
}

// DeliveryFilter narrows a list; empty members do not.
type DeliveryFilter struct{ State DeliveryState }

// Delivery is a message to one webhook.
type Delivery struct {
	ID            string // of the message
	WebhookID     string
	Kind          EventKind
	Subject       string
	State         DeliveryState
	CreatedAt     time.Time
	ExpiresAt     time.Time // when its last attempt is made
	Attempts      int
	NextAttemptAt time.Time
	LastAttemptAt time.Time
	Status        int // HTTP, of the last answer; 0: there was none
	Error         string
	Body          json.RawMessage // in a single one only
}

// DueWebhook is a webhook to which something can be sent.
type DueWebhook struct {
	ID string
	At time.Time
}

// Endpoint is a webhook with its secrets.
type Endpoint struct {
	Webhook
	Secret connectors.Secret
	Former connectors.Secret // signs as well; empty: none
}

// DueDelivery is a delivery that can be sent now.
type DueDelivery struct {
	Number    int64 // names it in the outbox
	ID        string
	Subject   string
	ExpiresAt time.Time
	Attempts  int // made before
	Body      []byte
}

// Attempt is what came of sending a delivery.
type Attempt struct {
	Number  int64
	Subject string
	State   DeliveryState
	At      time.Time
	Next    time.Time // of a pending one
	Status  int
	Error   string
}

// Settlement is what came of a number of attempts.
type Settlement struct {
	Attempts  []Attempt
	Health    WebhookHealth
	Recovered bool   // what waits for a next attempt is due now
	Disable   string // why the webhook is disabled; empty: it is not
}

// Retention says for how long, and how many at most of a webhook, deliveries are kept that have ended; and how much may wait for
// a webhook before it is disabled.
type Retention struct {
	Delivered    time.Duration
	MaxDelivered int
	Failed       time.Duration
	MaxFailed    int
	MaxWaiting   int
}
