package calls

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"gantry/connectors"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// Engine runs one connection's definition, as calls use it. Every error is a *fault.Error or a context's. Open in package
// agent gives one over package connectors/engine; tests give their own.
type Engine interface {
	// Check logs in.
	Check(ctx context.Context) (connectors.SystemInfo, error)
	// Capabilities tells what the definition and the login allow.
	Capabilities() wire.Capabilities
	// List reads one page.
	List(ctx context.Context, q Query) (Page, error)
	// Stream reads all records, a line each, and counts them.
	Stream(ctx context.Context, q Query, line func([]byte) error) (int, error)
	// Get reads one record.
	Get(ctx context.Context, q Query, id string) (Record, error)
	// Write runs an operation that has an effect.
	Write(ctx context.Context, w Write) (Result, error)
	// Settle finds out what an earlier try under the write's key did.
	Settle(ctx context.Context, w Write) (Settled, error)
	// Close ends the logins.
	Close() error
}

// Query is what to read.
type Query struct {
	Entity  string
	Params  url.Values // of the caller's request
	MaxRows int        // the plant's cap; 0: none
}

// Page is one page of a list.
type Page struct {
	Data       []json.RawMessage `json:"data"`
	NextCursor *string           `json:"next_cursor"`
	HasMore    bool              `json:"has_more"`
}

// Record is one record, encoded.
type Record struct {
	ID   string
	ETag string
	JSON []byte
}

// Write is an operation that has an effect.
type Write struct {
	Entity         string
	Operation      string // create, update, delete, or an action's name
	Action         bool
	ID             string // empty on create
	Body           []byte // JSON; may be empty on delete and on an action
	IfMatch        string
	IdempotencyKey string // the caller's; empty: none
	DryRun         bool
	Now            time.Time
}

// Result is what a write did.
type Result struct {
	Record     Record
	DeleteMode string
	Replayed   bool // the system showed that an earlier try under the key had done it
}

// Settled is what became of an earlier try.
type Settled struct {
	State  SettledState
	Result Result       // of Happened
	Fault  *fault.Error // of StillUnknown: why, and what to do
}

// SettledState says what is known of an earlier try.
type SettledState int

// What Settle can find out.
const (
	StillUnknown SettledState = iota // nothing tells; the write must not run again
	Happened                         // it had its effect
	RunAgain                         // it had none, or running it again cannot double it
)
