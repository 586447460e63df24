// Package journal makes a write happen at most once for one idempotency key, also across crashes.
//
// It is the one place that serialises effects. A write enters (Enter), is marked as started on disk before its effect
// (Start) and with its result before its answer (Finish). What is on disk decides what the same key gets next:
//
//	nothing              the write runs
//	started, running     CONFLICT: the first is still under way
//	started, not running a crash came between: treated as unknown
//	done, rejected       the first result again
//	unknown              the caller must settle what became of it, by the class of its operation
//
// A write that never reached the system leaves no entry: its key runs again. Another request under a known key is
// IDEMPOTENCY_KEY_REUSED. Entries live for Keep, those that nobody resolved for KeepUnknown.
//
// The package never runs an effect itself, and it never stores a request's body: only its fingerprint. The answers, which hold
// records of the plant's systems, stand in clear in a file that only the agent's account can read, until they are purged.
//
// What nothing can settle a person resolves (Unresolved, Resolve).
package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"gantry/tunnel/fault"
)

// Keep is how long a key is remembered.
const Keep = 7 * 24 * time.Hour

// KeepUnknown is how long a write that nobody resolved stays listed.
const KeepUnknown = 90 * 24 * time.Hour

// AutoKey begins the key of a write that came without one. Nobody can send it again: the entry is for the people who look at
// unknown outcomes.
const AutoKey = "auto:"

// MaxBody bounds the answer that is kept for replay, in bytes.
const MaxBody = 1 << 20

// State is what is known of a write.
type State string

// The states on disk.
const (
	Started  State = "started"
	Done     State = "done"
	Rejected State = "rejected"
	Unknown  State = "unknown"
)

// Call is a write that asks to run.
type Call struct {
	Connection  string
	Key         string
	RequestID   string
	Method      string
	Path        string // for the operator who looks at unknown outcomes
	Fingerprint [32]byte
}

// Result is the first answer, as it is sent again.
type Result struct {
	Status int
	Header map[string]string
	Body   []byte
}

// Entry is one write as it stands on disk.
type Entry struct {
	Connection, Key string
	Method, Path    string
	RequestID       string
	State           State
	Result          Result
	Lost            bool // it ended, and there is no result to replay: it is over MaxBody, or a person told the outcome
	StartedAt       time.Time
}

// Journal is safe for concurrent use.
type Journal struct {
	db  *sql.DB
	now func() time.Time

	mu      sync.Mutex
	running map[runningKey]struct{}
}

type runningKey struct{ connection, key string }

// New opens the journal over the table of package state. Entries that a crash left as started become unknown.
func New(ctx context.Context, db *sql.DB) (*Journal, error) {
	j := &Journal{db: db, now: time.Now, running: make(map[runningKey]struct{})}
	if _, err := db.ExecContext(ctx, "UPDATE journal SET state = 'unknown' WHERE state = 'started'"); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

// Purge forgets what is older than Keep and not running, and what is unknown after KeepUnknown; it says how many entries that
// were.
func (j *Journal) Purge(ctx context.Context) (int64, error) {
	result, err := j.db.ExecContext(ctx, "DELETE FROM journal WHERE started_at < ? AND state IN ('done', 'rejected') OR started_at < ? AND state = 'unknown'",
		j.now().Add(-Keep).UnixMilli(), j.now().Add(-KeepUnknown).UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("purge journal: %w", err)
	}
	return result.RowsAffected()
}

// Enter takes the key for one runner and reads what is known of it. The error is a *fault.Error: CONFLICT while another
// call holds the key, IDEMPOTENCY_KEY_REUSED for another request. The ticket must be left (Ticket.Leave).
func (j *Journal) Enter(ctx context.Context, call Call) (*Ticket, error) {
	key := runningKey{call.Connection, call.Key}
	if !j.take(key) {
		return nil, fault.New(fault.Conflict, "A call with this Idempotency-Key is still running.").At(fault.HopAgent).Reaches(fault.ScopeOperation).
			Ended(fault.NotSent).After(time.Second).Advise("Wait, and send the same request again to get its result.")
	}
	t := &Ticket{journal: j, call: call}
	if err := t.read(ctx); err != nil {
		j.release(key)
		return nil, err
	}
	return t, nil
}

func (j *Journal) take(key runningKey) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, taken := j.running[key]; taken {
		return false
	}
	j.running[key] = struct{}{}
	return true
}

func (j *Journal) release(key runningKey) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.running, key)
}

// broken is the fault of a journal that cannot be read or written: nothing may be sent without it.
func broken(what string, outcome fault.Outcome, err error) error {
	e := fault.New(fault.Internal, "The agent's journal of writes cannot be %s.", what).At(fault.HopAgent).Reaches(fault.ScopeSite).
		Ended(outcome).Because(err).Advise("Ask the plant's IT to check the disk of the agent's state folder.")
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.From(err, fault.HopAgent).Clone().Ended(outcome)
	}
	return e
}
