package records

import (
	"context"
	"errors"
	"time"
)

// What a store refuses beside store.ErrNotFound and store.ErrReadOnly.
var (
	// ErrOver: the run is not under way any more: it ended, or its records were erased.
	ErrOver = errors.New("the run is over")
	// ErrRunning: the sync has a run under way.
	ErrRunning = errors.New("the sync has a run under way")
)

// Store keeps syncs, their records and the outbox. It is safe for concurrent use; every method is one transaction, but for
// Erase.
type Store interface {
	Syncs
	Runs
	Reader
	Outbox

	// Erase removes the syncs of a connection with everything that they brought. They are gone for every reader at once; the
	// room is given back bit by bit until it returns. What a crash leaves of it, the next Erase or Sweep removes.
	Erase(ctx context.Context, connection string) error
	// Sweep removes what an Erase that was cut short has left. Call it at the start.
	Sweep(ctx context.Context) error
	// Close ends it; calls that are under way finish first.
	Close() error
}

// Syncs are what shall be synced.
type Syncs interface {
	// PutSync makes a sync, or changes its schedule. One that is enabled, and was not or now runs more often, is due at once; and
	// so is one whose window changed, for a full run.
	PutSync(ctx context.Context, organisation string, key Key, schedule Schedule) (Sync, error)
	// AskRun notes that a run is wanted now, also of a sync that is not enabled. It makes the sync if there is none, not
	// enabled.
	AskRun(ctx context.Context, organisation string, key Key, asked Asked) (Sync, error)
	Sync(ctx context.Context, key Key) (Sync, error)
	// Syncs lists those of a connection, by entity.
	Syncs(ctx context.Context, connection string) ([]Sync, error)
	// Due lists the syncs whose time has come, the longest due first.
	Due(ctx context.Context, now time.Time, limit int) ([]Sync, error)
	// Postpone moves a sync's next try. It changes nothing else, and nothing where the sync is gone.
	Postpone(ctx context.Context, key Key, until time.Time) error
}

// Runs are the steps of a run. Every one but BeginRun is refused with ErrOver where the run is not the sync's any more.
type Runs interface {
	// BeginRun starts a run, and takes what was asked for as done by it. ErrRunning: there is one; ErrNotFound: no such sync.
	// capabilities are what it goes by (wire.EntityCapabilities); event goes to the outbox; nil: none.
	BeginRun(ctx context.Context, key Key, run Run, capabilities, event []byte) (Sync, error)
	// Keep takes one page.
	Keep(ctx context.Context, key Key, page Page) (Run, error)
	// Unseen lists live records within the run's window (Run.From) that it did not see, by id.
	Unseen(ctx context.Context, key Key, run, after string, limit int) ([]string, error)
	// CountUnseen counts them, and all live records within the window.
	CountUnseen(ctx context.Context, key Key, run string) (unseen, live int, err error)
	EndRun(ctx context.Context, key Key, ending Ending) (Sync, error)
	// FailRun notes that a try failed, also where no run could begin: run is empty then.
	FailRun(ctx context.Context, key Key, run string, failure Failure) (Sync, error)
}

// Reader gives the records.
type Reader interface {
	// Records lists records in the order of their ids or, where ModifiedAfter is set, of their changes.
	Records(ctx context.Context, key Key, query Query) ([]Stored, error)
	// Record gives one, deleted or not.
	Record(ctx context.Context, key Key, id string) (Stored, error)
}

// Outbox are the changes that are still to be told, in their order.
type Outbox interface {
	Changes(ctx context.Context, limit int) ([]Change, error)
	// Told removes the changes up to a number.
	Told(ctx context.Context, number int64) error
}
