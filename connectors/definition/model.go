package definition

import (
	"encoding/json"

	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// Definition is one system's merged definition, decoded. Nobody changes it after Load.
type Definition struct {
	Metadata Metadata           `json:"metadata"`
	Driver   string             `json:"driver"`
	Dialect  string             `json:"dialect"`
	Guide    string             `json:"guide"`
	Login    Login              `json:"login"`
	Protocol map[string]any     `json:"protocol"`
	Discover map[string]any     `json:"discover"` // the driver's own, for all entities
	Check    *Step              `json:"check"`
	Limits   Limits             `json:"limits"`
	Errors   []ErrorRule        `json:"errors"`
	Inbox    *Inbox             `json:"inbox"`
	Entities map[string]*Entity `json:"entities"`

	Digest string   `json:"-"` // SHA-256 of the merged definition, hex
	files  []string // of its layers, the deepest first
	root   *node
	env    *environment // of all that were loaded together
}

// Metadata says what the definition is for.
type Metadata struct {
	ID         string   `json:"id"`
	Version    string   `json:"version"`
	Product    string   `json:"product"`
	Categories []string `json:"categories"`
	Tier       int      `json:"tier"`     // connection credits
	Proved     string   `json:"proved"`   // real, dialect or shape
	Evidence   string   `json:"evidence"` // on what it was proved, and what of it was not
	Extends    []string `json:"extends"`
	Abstract   bool     `json:"abstract"` // a layer, no system of its own
	Overlay    string   `json:"overlay"`  // the id of the system that this file is laid over
}

// Limits bound what the engine asks of the system. Zero is the default of Defaults.
type Limits struct {
	Concurrency int      `json:"concurrency"`
	Rate        string   `json:"rate"` // "20/s" or "600/m": calls
	Timeout     Duration `json:"timeout"`
	PageSize    int      `json:"page_size"`
	Scan        int      `json:"scan"` // native rows that one page may read to apply a filter that the system cannot
}

// Step is one native request. What is not the engine's belongs to the driver.
type Step struct {
	ID      string
	When    string            // CEL: run only if true
	ForEach string            // run once for each member of this list of the input
	Affects *int64            // rows that it must affect
	Returns []string          // columns that it returns beside those of the key
	Reads   bool              // it changes nothing: what it returns is looked up for the steps after it
	Expect  string            // CEL over `result`, what the step returned: how a success looks
	Now     Native            // the form of :now
	Vars    map[string]string // more parameters, "${cel}"
	Native  map[string]any    // the driver's own members: {"sql": "…"}
}

// Inbox holds the statements of the table that makes a class transactional. `{table}` in them is the operation's table.
// Insert fails as DUPLICATE on a key that is there; Find returns the column record_id; Finish stores it.
type Inbox struct {
	Insert *Step `json:"insert"` // :idempotency_key :entity :operation :now
	Find   *Step `json:"find"`   // :idempotency_key
	Finish *Step `json:"finish"` // :idempotency_key :record_id
}

// ErrorRule maps what the system said to a code. The first rule whose When holds wins.
type ErrorRule struct {
	ID         string      `json:"id"`
	When       string      `json:"when"`
	Code       fault.Code  `json:"code"`
	Scope      fault.Scope `json:"scope"`
	Hop        fault.Hop   `json:"hop"`
	Message    string      `json:"message"` // may hold "${…}"
	Advice     string      `json:"advice"`
	Field      string      `json:"field"`       // "${…}" that gives a column, or a field's name: reported in `fields`
	RetryAfter Duration    `json:"retry_after"` // makes it retryable
	Retryable  *bool       `json:"retryable"`
}

// Entity maps one canonical entity, or one of the system's own.
type Entity struct {
	Key          []Column          `json:"key"`
	Version      *Column           `json:"version"`
	Lock         *Step             `json:"lock"`
	Operations   Operations        `json:"operations"`
	Children     map[string]*Child `json:"children"`
	Actions      map[string]*Write `json:"actions"`
	Fields       map[string]*Field `json:"fields"`
	CustomFields map[string]*Field `json:"custom_fields"`
	Discover     map[string]any    `json:"discover"` // the driver's own: where the records' further columns are found
	Rules        []Rule            `json:"rules"`
}

// Operations are what can be done with an entity's records, actions aside.
type Operations struct {
	List   *List  `json:"list"`
	Get    *Step  `json:"get"`
	Create *Write `json:"create"`
	Update *Write `json:"update"`
	Delete *Write `json:"delete"`
}

// List reads many records.
type List struct {
	Step
	Keyset  []Column `json:"keyset"`  // the order; ends in the whole key. Default: the key
	Filters []string `json:"filters"` // fields that the system compares itself
	Scan    []string `json:"scan"`    // fields that the engine compares, reading up to limits.scan rows a page
}

// Child reads the members of a list field for many parents at once.
type Child struct {
	Step
	Parent string   `json:"parent"` // the column that holds the parent's value; "": the statement names the parent's key
	Of     string   `json:"of"`     // the parent's own column; default: its only key column
	Order  []Column `json:"order"`  // beside parent; together unique
}

// Write is an operation or an action that has an effect.
type Write struct {
	Class       Class             `json:"class"`
	Title       string            `json:"title"`
	Steps       []*Step           `json:"tx"`
	Idempotency *Idempotency      `json:"idempotency"`
	Inbox       *InboxUse         `json:"inbox"`
	Mode        string            `json:"mode"`   // of delete: hard, soft or status
	Action      string            `json:"action"` // of delete by status: the action that does it
	From        []string          `json:"from"`   // of an action: status values it starts from
	To          string            `json:"to"`     // of an action: the status it ends in
	Leaves      bool              `json:"leaves"` // of an action: the system does not show the record any more
	Input       map[string]*Field `json:"input"`  // of an action: the body's members
	Vars        map[string]string `json:"vars"`   // parameters, "${cel}"
	ReadBack    *bool             `json:"read_back"`
}

// ReadsBack reports whether the record is compared with what was written.
func (w *Write) ReadsBack() bool { return w.ReadBack == nil || *w.ReadBack }

// Class is the promise of a write that is sent again with the same key.
type Class string

// The classes, strongest first.
const (
	Transactional Class = "transactional" // the key is stored in the same transaction as the effect: exactly once
	Keyed         Class = "keyed"         // a natural or external key finds what the first try did: effectively once
	Lookup        Class = "lookup"        // the key can be looked up once the system's lag has passed: effectively once
	Opaque        Class = "opaque"        // at most once; a person resolves what is unknown
)

// Idempotency says how the effect of a key is found again.
type Idempotency struct {
	Find *Step    `json:"find"` // :idempotency_key; returns the key columns of what the first try made
	Lag  Duration `json:"lag"`  // of class lookup: how long the system may hide it
}

// InboxUse names the table of the plant's DBA.
type InboxUse struct {
	Table string `json:"table"`
}

// Field maps one member of a record.
type Field struct {
	From      string            `json:"from"`  // the native column
	Value     string            `json:"value"` // or a "${cel}" over `row`: computed, read-only
	Type      entity.Type       `json:"type"`
	Ref       string            `json:"ref"`
	Native    Native            `json:"native"`
	TZ        string            `json:"tz"`     // an IANA zone, or "${login.timezone}"
	Layout    string            `json:"layout"` // of text_datetime and text_date, as package time's
	Enum      Codes             `json:"enum"`   // native code to canonical value
	Labels    map[string]string `json:"labels"` // native code to the system's own word
	Values    []string          `json:"values"` // of an enumeration that is not canonical
	Write     []string          `json:"write"`  // create, update
	Requires  Required          `json:"required"`
	MaxLength int               `json:"max_length"`
	Title     string            `json:"title"`
	Fields    map[string]*Field `json:"fields"` // of an object, or of a list's members

	Discovered string `json:"discovered"` // of a custom field: the system's own column, which no statement names; From is then its alias
	Filterable bool   `json:"filterable"` // of such a field
}

// Rule refuses a write on a state of the record.
type Rule struct {
	ID      string     `json:"id"`
	On      []string   `json:"on"` // create, update, delete, or an action's name
	When    string     `json:"when"`
	Deny    fault.Code `json:"deny"`
	Message string     `json:"message"`
	Advice  string     `json:"advice"`
	Field   string     `json:"field"`
}

// Native is what a column holds.
type Native string

// The native types; the empty one follows from the canonical type.
const (
	NativeInteger      Native = "integer"
	NativeDecimal      Native = "decimal"
	NativeFloat        Native = "float"
	NativeString       Native = "string"
	NativeBoolean      Native = "boolean"
	NativeDate         Native = "date"
	NativeDatetime     Native = "datetime"      // a wall clock in `tz`
	NativeInstant      Native = "instant"       // with a zone
	NativeTextDatetime Native = "text_datetime" // text in `layout`, a wall clock in `tz`
	NativeTextDate     Native = "text_date"
)

// Column is a native column whose values the engine compares, orders by or makes ids of.
type Column struct {
	Name string `json:"column"`
	Type Native `json:"type"`
}

// problem makes a Problem of what stands at a path of the definition.
func (d *Definition) problem(path []string, format string, args ...any) Problem {
	return d.root.at(path, format, args...)
}

var _ json.Unmarshaler = (*Column)(nil)
