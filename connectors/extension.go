package connectors

import "context"

// Extra is a column that a plant's system has and its definition does not name: a field that was added there. An overlay maps
// it, and the driver carries it beside the definition's own columns.
type Extra struct {
	Name   string // the system's own, as a Discoverer found it; never a caller's text
	Alias  string // of rows and parameters: a plain lower-case name
	Native string // what it holds, in the words of definitions: integer, decimal, float, string, boolean, date, datetime, instant
}

// Extension is what an entity's statements are extended by.
type Extension struct {
	Dialect  string
	Protocol map[string]any // the definition's `protocol`
	Discover map[string]any // what the definition says under `discover`, for all entities and for this one
	Key      []string       // the columns of the entity's key
	Columns  []Extra
}

// Extender is a Driver that carries more columns than a definition's statements name. An error says, in words for the
// definition's author, why there is no place for them.
type Extender interface {
	Driver

	// ExtendQuery gives the native members of a query that returns the columns as well, under their aliases. compares tells
	// whether the system can compare them, for filters.
	ExtendQuery(x Extension, native map[string]any) (extended map[string]any, compares bool, err error)

	// ExtendWrite gives the native members of the steps of a create or an update that sends the columns as well; each one's value
	// is the parameter of its alias. after, if there are any, are further steps, one for each column, which run after the
	// others where the input has a value for it.
	ExtendWrite(x Extension, steps []map[string]any) (extended, after []map[string]any, err error)
}

// Discovery asks for the columns that records have beyond those of their definition.
type Discovery struct {
	Statement Statement // of Driver.Compile for {"discover": Extension.Discover}
	List      Statement // of the entity, as its definition has it; nil: it has none
	Vars      Vars
	Used      []string // columns of List from which fields come: their sources are no discovery
	Limit     int      // at most so many columns
}

// Findings are what a system has beyond a definition.
type Findings struct {
	Columns []Found
	Records int  // that were looked at; 0: none could be
	More    bool // there are more columns than Discovery.Limit
}

// Found is one column.
type Found struct {
	Name     string
	Type     string // the system's own word; "": it has none
	Native   string // as of Extra; "": no field can hold it
	Title    string // the system's own label
	ReadOnly bool
	Filled   int // how many of Findings.Records had a value
}

// Discoverer is a Conn that finds such columns.
type Discoverer interface {
	Conn
	Discover(ctx context.Context, d Discovery) (Findings, error)
}
