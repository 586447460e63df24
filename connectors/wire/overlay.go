package wire

// Paths of what a system has beyond its definition, and of the mapping of it.
const (
	PathDiscovered = "/v1/connections/{c}/discovered" // GET ?entity=: Discovered
	PathOverlay    = "/v1/connections/{c}/overlay"    // GET: OverlayState · PUT Overlay: 200 OverlayState · DELETE: 204
)

// Discovered is what a connection's system has beyond what its definition maps.
type Discovered struct {
	Entities map[string]DiscoveredEntity `json:"entities"`
}

// DiscoveredEntity are the columns of one entity's records that no field of the definition comes from.
type DiscoveredEntity struct {
	OverlayCapability
	Columns []DiscoveredColumn `json:"columns"`
	Records int                `json:"records"`             // that were looked at for `filled`; 0: none could be
	More    bool               `json:"truncated,omitempty"` // there are more columns than are listed
}

// DiscoveredColumn is one column. No value of any record is told.
type DiscoveredColumn struct {
	Name        string   `json:"name"`                                                                                  // the system's own; `from` of an overlay
	NativeType  string   `json:"native_type,omitempty"`                                                                 // the system's own word
	Native      string   `json:"native,omitempty" openapi:"integer|decimal|float|string|boolean|date|datetime|instant"` // what it holds, in the words of definitions; absent: no field can hold it
	Types       []string `json:"types,omitempty"`                                                                       // canonical types that a field over it can have, the suggestion first
	Title       string   `json:"title,omitempty"`                                                                       // the system's own label
	ReadOnly    bool     `json:"read_only,omitempty"`                                                                   // the system takes no value for it
	Filled      int      `json:"filled"`                                                                                // of the records that were looked at, how many had a value
	CustomField string   `json:"custom_field,omitempty"`                                                                // the field that the overlay in force makes of it
}

// OverlayCapability says whether an entity takes custom fields over discovered columns.
type OverlayCapability struct {
	Verdict
	Writable []string `json:"writable,omitempty"` // create, update: where the definition has a place for their values
}

// Overlay maps discovered columns of one connection onto custom fields. It holds no statement, no path and no host.
type Overlay struct {
	Entities map[string]OverlayEntity `json:"entities"`
}

// OverlayEntity is the mapping of one entity.
type OverlayEntity struct {
	CustomFields map[string]OverlayField `json:"custom_fields"`
}

// OverlayField maps one column.
type OverlayField struct {
	From       string   `json:"from"`                                                                                  // the column, as GET /connections/{id}/discovered names it
	Type       string   `json:"type" openapi:"string|text|integer|decimal|boolean|date|datetime"`                      // one of the column's `types`
	Title      string   `json:"title,omitempty"`                                                                       // for people
	Write      []string `json:"write,omitempty"`                                                                       // create, update: what takes it
	Filterable bool     `json:"filterable,omitempty"`                                                                  // lists take it as a parameter
	Native     string   `json:"native,omitempty" openapi:"integer|decimal|float|string|boolean|date|datetime|instant"` // what the column holds; found by the agent, and not taken from a caller
}

// OverlayState is the overlay that an agent keeps of a connection.
type OverlayState struct {
	Overlay
	InForce bool   `json:"in_force"`
	Reason  string `json:"reason,omitempty"` // why it is not
	Advice  string `json:"advice,omitempty"`
}
