package records

import (
	"encoding/json"
	"time"
)

// Key names a sync: one entity of one connection.
type Key struct {
	Connection string
	Entity     string
}

// Schedule is when a sync runs.
type Schedule struct {
	Every   time.Duration
	Since   time.Time // how far the first run looks back; zero: to the beginning
	Enabled bool
}

// Sync is where one sync stands. A zero time is never.
type Sync struct {
	Key
	OrganisationID string
	Schedule
	Capabilities json.RawMessage // wire.EntityCapabilities as the last run found them; nil: none yet
	Asked        Asked           // for by hand, and not begun yet

	Mark          Mark
	LastSuccessAt time.Time // the beginning of the last run that succeeded: what is stored is at least so new
	LastFullAt    time.Time // the same of the last full run
	NextRunAt     time.Time
	Failures      int             // tries that failed since anything succeeded
	Problem       json.RawMessage // of the last try, where it failed: a problem document
	ProblemAt     time.Time
	Last          *Run // the last run that ended well

	Run *Run // under way; nil: none

	Live, Gone int    // records that are stored: those that are there at the source, and those that were
	Total      Totals // of all runs
}

// Asked is a run that somebody asked for. The zero value is none.
type Asked struct {
	Kind    Kind
	Accepts bool // Run.Accepts
}

// Kind is how much a run reads.
type Kind string

// The kinds of runs.
const (
	Full        Kind = "full"        // everything within the window, and it finds what is gone
	Incremental Kind = "incremental" // what changed since the mark
)

// Mark is how far a sync has seen the source's changes, by the source's own times.
type Mark struct {
	At        time.Time // the latest change seen
	ReachedAt time.Time // when a run ended that saw it, by the relay's clock
	Settled   bool      // nothing that the source stamped with At, or earlier, can still appear
}

// Stage is what a run is doing.
type Stage string

// The stages.
const (
	Reading    Stage = "reading"
	Deciding   Stage = "deciding"   // every page was read
	Confirming Stage = "confirming" // asks the source for each record that a full run did not find
)

// Run is one run, under way or ended.
type Run struct {
	ID         string    `json:"id"`
	Kind       Kind      `json:"kind"`
	Manual     bool      `json:"manual"`
	Accepts    bool      `json:"accepts"`  // believes that everything is gone, if that is what it finds
	Compares   bool      `json:"compares"` // notes what it sees, to find what is gone
	Stage      Stage     `json:"stage"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	From       time.Time `json:"from,omitzero"`   // modified_after
	Cursor     string    `json:"cursor"`          // of the next page; while confirming, the last id that was looked at
	Newest     time.Time `json:"newest,omitzero"` // the latest change that it saw
	Counts
}

// Counts are what a run did to the stored records.
type Counts struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Deleted   int `json:"deleted"`
	Unchanged int `json:"unchanged"`
}

// Totals are what all runs of a sync did together: as many changes as the outbox ever had of it.
type Totals struct {
	Created int `json:"created"`
	Updated int `json:"updated"`
	Deleted int `json:"deleted"`
}

// Page is what one step of a run brings. In one transaction its records are kept, its deletions are made, the changes go
// to the outbox, and the run moves on.
type Page struct {
	Run     string // its id
	Stage   Stage  // what the run does next, and from where
	Cursor  string //
	Newest  time.Time
	Records []Record // seen at the source
	Gone    []string // ids that the source does not have any more
}

// Ending is how a run ended that succeeded.
type Ending struct {
	Run       string
	Mark      Mark
	NextRunAt time.Time
	Problem   json.RawMessage // what has to be told nevertheless; nil: nothing
	Event     json.RawMessage // goes to the outbox; nil: none
}

// Failure is a try that failed. The run stays where it is, and goes on at RetryAt.
type Failure struct {
	Problem json.RawMessage
	RetryAt time.Time
	Abandon bool            // the run cannot go on: the next one begins anew
	Event   json.RawMessage // goes to the outbox; nil: none
}

// Change is one line of the outbox: what became of a record, or an event of the sync itself. The lines of one record are in
// the order in which it changed, and those of a run's end come behind those of its records.
type Change struct {
	Number         int64
	Message        string // the id under which it is told: the same however often it is
	OrganisationID string
	Key
	Kind   ChangeKind
	Record string          // its id
	Event  json.RawMessage // of the kind Event; it has no message id
	At     time.Time
}

// ChangeKind is what happened to a record. For each record created comes first, then any updated, then deleted, then perhaps
// created again.
type ChangeKind string

// The kinds, as webhooks name them.
const (
	Created ChangeKind = "record.created"
	Updated ChangeKind = "record.updated"
	Deleted ChangeKind = "record.deleted"
	Event   ChangeKind = "event" // an event of the sync, which has its own kind
)
