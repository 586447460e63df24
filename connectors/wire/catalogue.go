package wire

import "encoding/json"

// Catalogue is what an agent publishes: the systems that it can connect. For its site it wins over the relay's own.
type Catalogue struct {
	Systems []System `json:"systems"`
}

// System describes one product that can be connected, from its definition.
type System struct {
	ID         string          `json:"id"`
	Version    string          `json:"version"`
	Digest     string          `json:"digest"` // SHA-256 of the merged definition, hex
	Product    string          `json:"product"`
	Categories []string        `json:"categories"`
	Tier       int             `json:"tier"`                                // connection credits that one connection costs
	Proved     string          `json:"proved" openapi:"real|dialect|shape"` // real, dialect or shape
	Evidence   string          `json:"evidence,omitempty"`                  // on what it was proved, and what of it was not
	Driver     string          `json:"driver"`
	Dialect    string          `json:"dialect,omitempty"`      // of the driver
	Login      json.RawMessage `json:"login" openapi:"object"` // JSON Schema of settings and credentials (writeOnly)
	Guide      string          `json:"guide,omitempty"`
	Entities   []SystemEntity  `json:"entities"`

	Passthrough string `json:"passthrough,omitempty" openapi:"http|call"` // how requests of the system's own look, where it takes some
}

// SystemEntity is what a definition can do with an entity.
type SystemEntity struct {
	Name       string   `json:"name"`
	Operations []string `json:"operations"`
	Actions    []string `json:"actions,omitempty"`
}

// Capabilities is what one connection may do: the definition, cut by the plant's policy and by what the login was seen
// to be refused.
type Capabilities struct {
	System   string                        `json:"system"`
	Version  string                        `json:"definition_version"`
	Entities map[string]EntityCapabilities `json:"entities"`

	Passthrough PassthroughCapability `json:"passthrough"` // whether the system's own requests may be sent
}

// EntityCapabilities is the row of one entity.
type EntityCapabilities struct {
	Operations map[string]OperationCapability `json:"operations"` // list, get, create, update, delete
	Actions    map[string]ActionCapability    `json:"actions,omitempty"`
	Fields     map[string]FieldCapability     `json:"fields"`
	Filters    []string                       `json:"filters"` // query parameters that list takes beside limit, cursor, fields, include
	Rules      []RuleCapability               `json:"rules,omitempty"`
	Overlay    OverlayCapability              `json:"overlay"` // whether it takes custom fields over columns that the definition does not name
}

// Verdict is a yes, or a no and who said it.
type Verdict struct {
	Allowed  bool   `json:"allowed"`
	DeniedBy string `json:"denied_by,omitempty" openapi:"definition|policy|probe"` // definition, policy or probe
	Reason   string `json:"reason,omitempty"`
	Advice   string `json:"advice,omitempty"`
}

// Who can say no.
const (
	ByDefinition = "definition"
	ByPolicy     = "policy"
	ByProbe      = "probe"
)

// OperationCapability is one operation on an entity.
type OperationCapability struct {
	Verdict
	Class string `json:"class,omitempty" openapi:"transactional|keyed|lookup|opaque"` // of a write: transactional, keyed, lookup or opaque
	Mode  string `json:"delete_mode,omitempty" openapi:"hard|soft|status"`            // of delete: hard, soft or status
}

// ActionCapability is one action on an entity's records.
type ActionCapability struct {
	OperationCapability
	Title string   `json:"title,omitempty"`
	From  []string `json:"from,omitempty"` // canonical status values
	To    string   `json:"to,omitempty"`
	Input []string `json:"input,omitempty"` // members of the body
}

// FieldCapability is one field of an entity.
type FieldCapability struct {
	Type       string                     `json:"type"`
	Ref        string                     `json:"ref,omitempty"`
	Values     []string                   `json:"values,omitempty"` // canonical values of an enumeration
	Filterable bool                       `json:"filterable"`
	Writable   []string                   `json:"writable,omitempty"` // create, update
	Required   []string                   `json:"required,omitempty"`
	DeniedBy   string                     `json:"denied_by,omitempty"` // policy: the field is neither shown nor taken
	MaxLength  int                        `json:"max_length,omitempty"`
	Fields     map[string]FieldCapability `json:"fields,omitempty"` // of an object or of a list's members
}

// RuleCapability is a business rule, told in advance.
type RuleCapability struct {
	On      []string `json:"on"`
	Code    string   `json:"code"`
	Message string   `json:"message"`
}
