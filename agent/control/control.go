// Package control lets the host's own people ask a running agent: its status, its connections, a reload.
//
// It is HTTP with JSON over a channel that only the service's account and an administrator can open: a unix socket in the
// agent's state folder, or a named pipe on Windows. There is no network port and no password. A service
// has a second channel, which everybody on the host can open and which answers one question: the status. The server end belongs to
// the agent, which answers as a Source; the client end belongs to the command line. What they exchange is the command
// line's `--json`, so members are only ever added. No secret is among them.
package control

import (
	"context"
	"errors"
	"io"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/check"
)

// Schema is the version of the documents below. It grows when a member changes its meaning.
const Schema = 1

// Source is the running agent. Its methods are called concurrently.
type Source interface {
	Status(ctx context.Context) (Status, error)
	Connections(ctx context.Context) ([]Connection, error)
	// Writes lists the writes whose outcome nobody knows, oldest first.
	Writes(ctx context.Context) ([]Write, error)
	// ResolveWrite notes what a person found out about one of them, and gives it as it was.
	ResolveWrite(ctx context.Context, id string, happened bool) (Write, error)
	// Diagnose goes the way to the relay and tells what it meets; deep also what takes minutes.
	Diagnose(ctx context.Context, deep bool) (check.Report, error)
	// CheckConnections looks at the connection of an id or name, hop by hop; empty: at all.
	CheckConnections(ctx context.Context, idOrName string) (check.Report, error)
	// Discover asks the system of the connection of an id or name what it has beyond its definition; entity empty: of all.
	Discover(ctx context.Context, idOrName, entity string) (Discovered, error)
	// ResetCircuits lets the next call of the connection of an id or name be made, whatever the last ones met.
	ResetCircuits(ctx context.Context, idOrName string) (Connection, error)
	// Support tells whether support may come in, and what it did.
	Support(ctx context.Context) (Support, error)
	// LetSupportIn lets it in for a time; 0: not any more.
	LetSupportIn(ctx context.Context, span time.Duration) (Support, error)
	// Bundle writes the archive for support, once it is proved that no secret is in it.
	Bundle(ctx context.Context, w io.Writer, asked BundleRequest) error
	// Reload reads the configuration again. On *configs.Problems, or any other error, what was in force stays so.
	Reload(ctx context.Context) (Reloaded, error)
	// Enrol makes the agent known to the relay that the token names; force replaces an identity that is there. The error
	// is ErrEnrolled, one of package enrol's, *tunnel.Refused, *tunnel.DialError or *fault.Error; each arrives as such.
	Enrol(ctx context.Context, token string, force bool) (Enrolled, error)
	// Unenrol erases the identity, the connections and their logins.
	Unenrol(ctx context.Context) error
}

// ErrEnrolled is the answer when there is an identity already.
var ErrEnrolled = errors.New("this agent is enrolled already")

// Enrolled says who the agent is now.
type Enrolled struct {
	Agent                string    `json:"agent"`
	Site                 string    `json:"site"`
	Organisation         string    `json:"organisation"`
	Relay                string    `json:"relay"`
	SealingKey           string    `json:"sealing_key"` // fingerprint, to be compared with what the relay shows
	CertificateExpiresAt time.Time `json:"certificate_expires_at"`
}

// enrolment is the body of a request to enrol.
type enrolment struct {
	Token string `json:"token"`
	Force bool   `json:"force,omitempty"`
}

// State is the agent in one word.
type State string

// The states of an agent.
const (
	NotEnrolled  State = "not_enrolled" // there is no identity: enroll first
	Connecting   State = "connecting"   // no session is up
	Connected    State = "connected"    // every session is up
	Degraded     State = "degraded"     // some sessions are up
	Refused      State = "refused"      // the relay refuses this agent; Sessions say why
	Draining     State = "draining"     // it is about to stop
	NotRunning   State = "not_running"  // said by the command line, when nobody answers
	Inaccessible State = "inaccessible" // said by the command line, when it may not ask
)

// Status is the agent's state on one screen.
type Status struct {
	Schema      int          `json:"schema"`
	State       State        `json:"state"`
	Version     string       `json:"version"`
	PID         int          `json:"pid,omitempty"`
	StartedAt   time.Time    `json:"started_at,omitzero"`
	StateDir    string       `json:"state_dir"`
	ConfigFile  string       `json:"config_file"`
	Problem     string       `json:"problem,omitempty"`     // why the agent does less than it should: a faulty configuration
	RefusesAll  bool         `json:"refuses_all,omitempty"` // every call, until Problem is mended: it was there at the start
	Identity    *Identity    `json:"identity,omitempty"`
	Relay       Relay        `json:"relay"`
	Sessions    []Session    `json:"sessions"`
	Policy      Policy       `json:"policy"`
	Connections []Connection `json:"connections"`

	EnrolmentProblem string `json:"enrolment_problem,omitempty"` // why the token that a package left does not do, or not yet
	UnresolvedWrites int    `json:"unresolved_writes"`           // those whose outcome nobody knows
	Goroutines       int    `json:"goroutines,omitempty"`        // of the agent's process, for proofs that nothing is left behind
	OpenFiles        int    `json:"open_files,omitempty"`        // the same; 0 where the system does not tell
}

// Identity is who the agent is for the relay.
type Identity struct {
	Agent                string    `json:"agent"`
	Site                 string    `json:"site"`
	Organisation         string    `json:"organisation"`
	EnrolledAt           time.Time `json:"enrolled_at,omitzero"`
	CertificateExpiresAt time.Time `json:"certificate_expires_at,omitzero"`
	SealingKey           string    `json:"sealing_key,omitempty"` // fingerprint, as the dashboard shows it
}

// Relay is where the agent dials, and through what.
type Relay struct {
	URL   string `json:"url,omitempty"`
	Proxy string `json:"proxy,omitempty"` // host:port; empty: none
	// ProxyOrigin is where the proxy, or that there is none, is set: `configuration`, `environment HTTPS_PROXY of the service`,
	// `Windows settings`, `PAC` and its address; empty: nowhere.
	ProxyOrigin  string `json:"proxy_origin,omitempty"`
	ProxyProblem string `json:"proxy_problem,omitempty"` // what is set and cannot be used
}

// Session is one connection to the relay, or the attempt at one.
type Session struct {
	Lane        string    `json:"lane"`  // calls or bulk
	State       string    `json:"state"` // dialing, connected, waiting, refused, draining
	Since       time.Time `json:"since,omitzero"`
	RoundTripMS float64   `json:"round_trip_ms,omitempty"`
	Attempts    int       `json:"attempts,omitempty"` // since it was last healthy
	NextTryAt   time.Time `json:"next_try_at,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
	Refusal     string    `json:"refusal,omitempty"` // the relay's code: revoked, identity_in_use …
}

// Policy is a summary of the plant's policy in force.
type Policy struct {
	Targets  int       `json:"targets"` // patterns
	Paths    int       `json:"paths"`   // folders
	Writes   bool      `json:"writes"`
	LoadedAt time.Time `json:"loaded_at,omitzero"`
}

// Connection is one login that the agent holds.
type Connection struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	System    string    `json:"system"`
	State     string    `json:"state"` // idle, open, failing, paused
	OpenedAt  time.Time `json:"opened_at,omitzero"`
	InFlight  int       `json:"in_flight"`
	LastError string    `json:"last_error,omitempty"` // a code of docs/errors.md

	Circuit    string      `json:"circuit,omitempty"`    // open or half_open; empty: closed
	Held       string      `json:"held,omitempty"`       // why no call reaches the system: circuit, throttled, login or quiet_hours
	HeldUntil  time.Time   `json:"held_until,omitzero"`  // when the next one may
	Operations []Operation `json:"operations,omitempty"` // those that fail, or that the login may not do
}

// Operation is one operation on an entity that does not work.
type Operation struct {
	Entity    string `json:"entity"`
	Operation string `json:"operation"`
	State     string `json:"state"`                // failing or denied
	LastError string `json:"last_error,omitempty"` // a code of docs/errors.md
	Circuit   string `json:"circuit,omitempty"`    // open or half_open; empty: closed
}

// Write is a write whose outcome is unknown: it may have happened.
type Write struct {
	ID         string    `json:"id"`
	Connection string    `json:"connection"`
	Entity     string    `json:"entity"`
	Operation  string    `json:"operation"` // create, update, delete, or an action's name
	RecordID   string    `json:"record_id,omitempty"`
	Key        string    `json:"key,omitempty"` // the caller's Idempotency-Key
	RequestID  string    `json:"request_id"`
	Since      time.Time `json:"since"`
}

// Support is what the plant allows the cloud's support, and what that did.
type Support struct {
	Schema int          `json:"schema"`
	Mode   string       `json:"mode"` // of the configuration: ask, allow or deny
	Open   bool         `json:"open"`
	Until  time.Time    `json:"until,omitzero"` // of `support on`
	Runs   []SupportRun `json:"runs"`           // the last ones, the latest first
}

// SupportRun is one thing that support did, or was refused.
type SupportRun struct {
	At         time.Time `json:"at"`
	Actor      string    `json:"actor"`  // as the relay names it
	Action     string    `json:"action"` // diagnose, bundle or logs
	Connection string    `json:"connection,omitempty"`
	RequestID  string    `json:"request_id"`
	Result     string    `json:"result"` // OK, or a code of docs/errors.md
	MS         int64     `json:"ms"`
}

// Reloaded says what a reload did.
type Reloaded struct {
	Applied bool     `json:"applied"`           // something changed and is in force
	Restart []string `json:"restart,omitempty"` // keys that changed and wait for the next start
}

// Discovered is what a connection's system has beyond its definition.
type Discovered struct {
	Connection string                           `json:"connection"` // its id
	System     string                           `json:"system"`
	Entities   map[string]wire.DiscoveredEntity `json:"entities"`
}
