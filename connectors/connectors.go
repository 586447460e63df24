// Package connectors is the contract between the agent and the systems of a plant.
//
// A driver is Go code that speaks one protocol (package connectors/sql). A definition is a YAML file that says how
// one product's records, rules and errors map onto the canonical entities (package connectors/definition). The engine
// (package connectors/engine) runs a definition over a driver. This package holds what they agree on: the Driver and
// its connections, rows and values, and the Failure in which a driver reports what the system said.
//
// The package never speaks to a system itself, and it holds no registry: the agent's main lists its drivers.
package connectors

import (
	"cmp"
	"context"
	"iter"
	"log/slog"
	"net"
	"time"
)

// Driver speaks one protocol to one kind of system. It is stateless and safe for concurrent use.
type Driver interface {
	// Name is the word that definitions use for the driver: "sql".
	Name() string

	// Specification says what the driver speaks, and how far that was proved.
	Specification() Specification

	// Compile checks the driver's own part of a statement and prepares it for a dialect. native holds the members
	// of a step that are not the engine's (see package definition): for the sql driver {"sql": "SELECT …"}. A definition's
	// `protocol` is compiled as the step {"protocol": …}.
	// An error names the fault in words that a definition's author understands.
	Compile(dialect string, native map[string]any) (Statement, error)

	// Open prepares a connection to one system. It checks the settings, and may log in lazily: Check proves it.
	Open(ctx context.Context, target Target) (Conn, error)
}

// Statement is a compiled native request. Only the driver that compiled it looks inside.
type Statement interface {
	// Params names the parameters that the statement binds, each once, without their sigil.
	Params() []string
}

// Deep is a Statement that takes whole lists of a write's input: one document with an order and its lines. In Vars a
// list is a []Vars; one that the input does not have is nil.
type Deep interface {
	Statement
	// Lists names the lists, and the parameters of each one's members.
	Lists() map[string][]string
}

// Selective is a Statement whose columns need not be named one by one: its rows have those that somebody reads.
type Selective interface {
	Statement
	// Select gives the statement with these columns, beside those that it names itself.
	Select(columns []string) Statement
}

// Target is what a driver needs to reach one system.
type Target struct {
	Dialect     string            // the definition's dialect: "postgres", "mysql", "sqlite", "sqlserver", "oracle"
	Settings    map[string]any    // the login's members that are no secret; defaults filled in
	Credentials map[string]Secret // the login's writeOnly members
	Protocol    Statement         // the definition's `protocol`: what its statements have in common; nil: the driver's own
	Check       Statement         // the definition's `check`; nil: the driver's own cheapest proof
	Limits      Limits
	Dial        DialFunc // every network connection goes through it: the plant's policy sits there
	OpenPath    PathFunc // every local file goes through it, for the same reason
	Logger      *slog.Logger
}

// Setting gives a member of the login that is a text; "": there is none.
func (t Target) Setting(name string) string {
	s, _ := t.Settings[name].(string)
	return s
}

// Limits bound one connection. Zero means the driver's default.
type Limits struct {
	Concurrency int           // native connections at once
	Timeout     time.Duration // one native statement
	PageSize    int           // rows of one native page
}

// Or gives the limits with a driver's defaults where nothing is said.
func (l Limits) Or(defaults Limits) Limits {
	return Limits{
		Concurrency: cmp.Or(l.Concurrency, defaults.Concurrency), Timeout: cmp.Or(l.Timeout, defaults.Timeout),
		PageSize: cmp.Or(l.PageSize, defaults.PageSize),
	}
}

// DialFunc opens a network connection; address is host:port. A refusal by the plant's policy is a *fault.Error.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// PathFunc checks a local path against the plant's policy and gives the real, absolute path to open.
type PathFunc func(path string) (string, error)

// Conn is a pool of logins to one system. It is safe for concurrent use. Every error is a *Failure, a *fault.Error of
// the Target's functions, or a context's error. Cancelling a context cancels the native call at the system itself.
type Conn interface {
	// Check proves that the login works, as cheaply as possible.
	Check(ctx context.Context) (SystemInfo, error)

	// Read streams the rows of a query in constant memory. It never writes: where the system can promise that, the
	// driver makes it (a read-only transaction). A row is valid until the next one is asked for. After an error
	// the sequence ends.
	Read(ctx context.Context, q Read) iter.Seq2[Row, error]

	// Begin starts a unit of work. Where the system has no transactions every effect is immediate, Atomic is
	// false, and Commit and Rollback do nothing.
	Begin(ctx context.Context, readOnly bool) (Tx, error)

	// Atomic reports whether what a Tx did is undone when it is not committed.
	Atomic() bool

	// Close ends all logins. Calls in flight fail.
	Close() error
}

// Right says whether the login may run a statement.
type Right struct {
	Denied bool
	Reason string // what the system says it lacks, in words for its administrator
}

// Informer is a Conn whose system can tell in advance what the login may do.
type Informer interface {
	Conn
	// Rights gives one Right for each of the statements. Nothing is run.
	Rights(ctx context.Context, statements []Statement) ([]Right, error)
}

// Tx is one unit of work, used by one goroutine.
type Tx interface {
	Read(ctx context.Context, q Read) iter.Seq2[Row, error]
	// Exec runs a statement that has an effect.
	Exec(ctx context.Context, s Statement, vars Vars) (Effect, error)
	// Commit makes the effects last. A Failure whose Sent is true leaves the outcome unknown.
	Commit(ctx context.Context) error
	// Rollback undoes what was not committed. It may be called after Commit, and then does nothing.
	Rollback() error
}

// Effect is what a statement did.
type Effect struct {
	Affected int64 // rows; -1 where the system does not say
	Row      Row   // what the statement returned (RETURNING, a generated key); nil: nothing
}

// SystemInfo is what a system says of itself.
type SystemInfo struct {
	Version string `json:"version,omitempty"`
}

// Row is one native record. Keys are lower-case column names. Values are nil, bool, int64, float64, string, []byte or
// time.Time; an exact decimal is a string as the system prints it; a time without zone is a time.Time in UTC with the
// system's wall clock; an instant is a time.Time in UTC.
type Row map[string]any

// Vars are the values of a statement's parameters, of the same types as a Row's.
type Vars map[string]any

// Read is one query for rows.
type Read struct {
	Statement Statement
	Vars      Vars
	Filters   []Filter // all must hold; only columns that Statement returns
	OrderBy   []string // columns, ascending; together unique and never null
	After     []any    // values of OrderBy of the last row already read; nil: from the beginning
	Limit     int      // at most so many rows; 0: all
}

// Op compares a column with values.
type Op string

// The comparisons that a driver can push down.
const (
	Equal          Op = "eq" // any one of the values
	Greater        Op = "gt"
	GreaterOrEqual Op = "ge"
	Less           Op = "lt"
	LessOrEqual    Op = "le"
)

// Filter keeps the rows whose column compares with the values. Only Equal takes more than one; a nil value matches
// null.
type Filter struct {
	Column string
	Op     Op
	Values []any
}
