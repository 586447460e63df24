package openapi

import (
	"encoding/json"
	"reflect"
	"slices"

	"gantry/tunnel/fault"
)

// The documents of entities stand for one schema each and every entity: the generator puts the entity's own in their place.
type (
	Record     struct{} // a record
	RecordPage struct{} // a page of records
	Line       struct{} // a line of a stream: a record, or the end
	RecordWish struct{} // what a create or an update sends
	ActionWish struct{} // what an action takes
	Written    struct{} // a record, or of a dry run a Plan
)

// Plan is the answer of a dry run: every check was made, and nothing was sent that changes anything.
type Plan struct {
	DryRun    bool        `json:"dry_run"` // always true
	Operation string      `json:"operation"`
	WouldSend []Statement `json:"would_send"` // in the order in which it would be sent
}

// Statement is one thing that a write would send to the system.
type Statement struct {
	Step   string                     `json:"step"`   // its name in the system's definition
	Params map[string]json.RawMessage `json:"params"` // as the system would get them
}

// StreamEnd is the last line of a stream that is whole.
type StreamEnd struct {
	End StreamCount `json:"end"`
}

// StreamCount is how many records a stream had.
type StreamCount struct {
	Count int `json:"count"` // of the lines before this one
}

// StreamError is the last line of a stream that was cut, with the reason.
type StreamError struct {
	Error fault.Problem `json:"error"`
}

var text = reflect.TypeFor[string]()

// Parameters of entities.
var (
	Fields = Parameter{Name: "fields", Type: text, Text: "Only these fields, with commas between them; `id` is always there.", Example: "number,status"}

	Include = Parameter{Name: "include", Type: text, Values: []string{"remote_data"}, Text: "`remote_data` adds the native record, as the system has it."}

	DryRun = Parameter{Name: "dry_run", Type: reflect.TypeFor[bool](), Default: false,
		Text: "`true`: make every check that can be made without writing, and tell what would be sent."}

	IdempotencyKey = Parameter{Name: "Idempotency-Key", Type: text, Max: 255, Pattern: `^[ -~]*$`, Example: "order-2026-0815",
		Text: "The same key with the same request gives the first result again, also after a crash of the relay or the agent; with another request it is refused. Kept for seven days."}

	IfMatch = Parameter{Name: "If-Match", Type: text, Max: 512, Pattern: `^[ -~]*$`, Example: `"3"`,
		Text: "The etag of the record as you know it. Where it has changed since, the answer is `PRECONDITION_FAILED`."}
)

// Narrowing are the parameters of a list of records.
func Narrowing() []Parameter {
	return append(Paging(),
		Moment("modified_after", "Only records that changed after this instant."),
		Moment("created_after", "Only records that were made after this instant."),
		Parameter{Name: "status", Type: text, Text: "Only records in this canonical status."},
		Fields, Include,
		Parameter{Name: "filters", Type: reflect.TypeFor[map[string]string](), Free: true,
			Text: "Any field that the capabilities call filterable, as a parameter of its own: `vendor_id=7`."})
}

// NarrowingStored are the parameters of a list of synced records.
func NarrowingStored() []Parameter {
	all := slices.DeleteFunc(Narrowing(), func(p Parameter) bool { return p.Name == Include.Name })
	return append(all, OneOf("deleted", "Whether records are listed that are gone at the source; `exclude` unless it says otherwise.", "exclude", "include", "only"))
}

// Headers of answers.
var (
	// Location is where what was created is.
	Location = Header{Name: "Location", Text: "The path of what was created.", Type: text, Required: true}

	ETag = Header{Name: "ETag", Text: "The version of the record, quoted, where the system has one. Send it as `If-Match`.", Type: text}

	Replayed = Header{Name: "Idempotency-Replayed", Text: "This is the first result again: nothing was done now.", Type: text, Values: []string{"true"}}

	DeleteMode = Header{Name: "X-Delete-Mode", Text: "What deleting meant: the record is gone (`hard`), marked as deleted (`soft`), or in a status that says so (`status`).", Type: text,
		Values: []string{"hard", "soft", "status"}}

	Disposition = Header{Name: "Content-Disposition", Text: "A name for the file.", Type: text}
)
