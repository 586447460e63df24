package store

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Events are what happened: to each connection its own log, and to each agent one, of which its connections' readers see
// their part. A log keeps its newest entries, MaxEvents of them; the older ones go.
//
// It is the one place for what happens: what a webhook tells of a connection, an agent or a sync is an event here.
type Events interface {
	// AppendEvents adds events, all or none. An event belongs to the log of its connection, or of its agent where it names
	// no connection. ErrNotFound: no such organisation.
	AppendEvents(ctx context.Context, events ...NewEvent) error
	// Events lists a connection's events in their order, those of its agent among them, from when the connection was made.
	// A reader who comes back with the last id that it has seen misses nothing that is still kept.
	Events(ctx context.Context, organisation, connection string, filter EventFilter, page Page) ([]Event, error)
	// LastEvents lists the newest n, in their order.
	LastEvents(ctx context.Context, organisation, connection string, filter EventFilter, n int) ([]Event, error)
}

// MaxEvents is how many events a log keeps.
const MaxEvents = 10_000

// Bounds of an event. A longer message is cut; larger data are refused.
const (
	MaxEventMessage = 1_000   // characters
	MaxEventData    = 8 << 10 // bytes
)

// EventKind says what happened, as dotted words: `call.failed`.
type EventKind string

// The kinds.
const (
	CallFailed EventKind = "call.failed"

	ConnectionStateChanged  EventKind = "connection.state_changed" // Data: StateChange
	ConnectionReauthNeeded  EventKind = "connection.reauth_required"
	ConnectionCreated       EventKind = "connection.created"
	ConnectionRelinked      EventKind = "connection.relinked"
	ConnectionPaused        EventKind = "connection.paused"
	ConnectionResumed       EventKind = "connection.resumed"
	ConnectionDisconnected  EventKind = "connection.disconnected"
	ConnectionTokenReplaced EventKind = "connection.token_replaced"

	CircuitOpened   EventKind = "circuit.opened"
	CircuitHalfOpen EventKind = "circuit.half_open"
	CircuitClosed   EventKind = "circuit.closed"

	SyncStarted   EventKind = "sync.started"
	SyncCompleted EventKind = "sync.completed"
	SyncFailed    EventKind = "sync.failed"

	AgentConnected    EventKind = "agent.connected"
	AgentDisconnected EventKind = "agent.disconnected"
)

// EventKinds lists the kinds.
func EventKinds() []EventKind {
	return []EventKind{
		CallFailed, ConnectionStateChanged, ConnectionReauthNeeded, ConnectionCreated, ConnectionRelinked, ConnectionPaused, ConnectionResumed,
		ConnectionDisconnected, ConnectionTokenReplaced, CircuitOpened, CircuitHalfOpen, CircuitClosed, SyncStarted, SyncCompleted, SyncFailed,
		AgentConnected, AgentDisconnected,
	}
}

// Level says how much an event matters.
type Level string

// The levels.
const (
	LevelInfo    Level = "info"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

// Levels lists the levels, from the least one.
func Levels() []Level { return []Level{LevelInfo, LevelWarning, LevelError} }

// NewEvent is an event that is to be added.
type NewEvent struct {
	OrganisationID string
	SiteID         string
	AgentID        string
	ConnectionID   string    // empty: an event of the agent
	At             time.Time // zero: now
	Level          Level
	Kind           EventKind
	Entity         string // empty where it does not apply, as the next three
	Operation      string
	Code           string // of the fault
	RequestID      string // finds the same call in the logs of relay and agent
	Message        string // for people
	Data           json.RawMessage
}

// Event is an event that is kept. Ids of one log sort by age.
type Event struct {
	ID string
	NewEvent
}

// StateChange is the Data of a ConnectionStateChanged.
type StateChange struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Message string `json:"message"`
}

// EventFilter narrows a list; empty members do not.
type EventFilter struct {
	Level  Level // and what matters more
	Entity string
	Kind   EventKind // a whole one, or a first word: `sync`

	RequestID string // of the event, or one of several that it stands for
	Before    string // the id of an event: those that come before it
}

// Takes reports whether the filter lets an event through.
func (f EventFilter) Takes(e Event) bool {
	return slices.Index(Levels(), e.Level) >= slices.Index(Levels(), f.Level) &&
		(f.Entity == "" || e.Entity == f.Entity) && (f.Before == "" || e.ID < f.Before) &&
		(f.Kind == "" || e.Kind == f.Kind || strings.HasPrefix(string(e.Kind), string(f.Kind)+".")) &&
		(f.RequestID == "" || e.RequestID == f.RequestID || bytes.Contains(e.Data, []byte(`"`+f.RequestID+`"`)))
}
