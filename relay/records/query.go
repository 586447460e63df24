package records

import (
	"encoding/json"
	"time"
)

// Query is what is wanted of an entity's records. The zero value is the first page of those that are there at the source.
type Query struct {
	Filters       []Filter // all must hold
	Status        []string // any of these canonical values; none: all
	ModifiedAfter time.Time
	CreatedAfter  time.Time
	Gone          Gone
	After         Position // of the last record that was read; zero: from the beginning
	Limit         int      // 0: MaxPage
}

// MaxPage is the most records that one call gives.
const MaxPage = 501

// Gone says whether records are wanted that the source does not have any more.
type Gone string

// What can be wanted.
const (
	WithoutGone Gone = ""
	WithGone    Gone = "include"
	OnlyGone    Gone = "only"
)

// Filter compares one member of the document with values, any of which will do.
type Filter struct {
	Path   string // in JSON: $.vendor_id
	Form   Form
	Values []string
}

// Form is how a member is compared.
type Form string

// The forms.
const (
	Text    Form = "text"    // the same string
	Number  Form = "number"  // the same number, however it is written, as string or as number
	Boolean Form = "boolean" // "true" or "false"
)

// Position is a place in a list.
type Position struct {
	ID       string
	Modified time.Time // where the list is in the order of changes
}

// Stored is a record as it is kept.
type Stored struct {
	ID       string
	Modified time.Time // the source's updated_at, or when the relay saw the change; of a record that is gone, when that was found
	Document json.RawMessage
}
