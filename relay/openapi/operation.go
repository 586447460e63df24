// Package openapi says what an operation of the public API promises: values that stand beside its route in relay/api, so
// that a route and its description are one thing. Package generator makes the OpenAPI 3.1 document of them, which is
// committed as docs/openapi.json, served as it is, and shown by package reference.
//
// The package describes; it never looks at a request or an answer. That the relay keeps the promises is tested where the
// whole road is: every answer in the tests of package house is held against the document.
package openapi

import (
	"reflect"

	"gantry/tunnel/fault"
)

// Base is the path under which the API lies. Paths of operations are below it.
const Base = "/api/v1"

// Operation is one method of one path.
type Operation struct {
	Method, Path string // the path as net/http.ServeMux has it, below Base
	ID           string // "sites.create"; of an entity's: the operation alone, "list"
	Caller       Caller
	Description
}

// Caller is who may call an operation.
type Caller struct {
	Kind  Kind
	Roles []string // of organisation keys that may; empty: none needed
}

// Kind is a kind of token.
type Kind string

// The kinds of callers.
const (
	Anyone       Kind = ""             // without a token
	Organisation Kind = "organisation" // an organisation key
	Connection   Kind = "connection"   // a connection's token, or an organisation key that names the connection
)

// Description is what a route says of itself.
type Description struct {
	Tag     Tag
	Summary string // a few words without a full stop: "List the sites"
	Text    string // paragraphs, in Markdown as far as `code` and lists go
	Query   []Parameter
	Headers []Parameter  // of the request
	Body    *Body        // nil: the operation takes none
	Answers []Answer     // of success
	Codes   []fault.Code // of failure, beside those of every such operation
	Reach   Reach
	Entity  bool // stands for one operation on each entity
}

// Reach is how far a call travels: what can go wrong on the way follows from it.
type Reach int

// The reaches.
const (
	AtRelay Reach = iota // the relay answers by itself
	AtAgent              // an agent answers
	Reads                // a system is read
	Writes               // a system is written
)

// Tag groups operations.
type Tag string

// Group says what the operations of a tag are about.
type Group struct {
	Tag  Tag
	Text string
}

// Parameter is a parameter of the query or a header of the request.
type Parameter struct {
	Name     string
	Text     string
	Type     reflect.Type
	Values   []string // if it is one of a list
	Min, Max int      // of a number, or the length of a text; 0: no bound
	Default  any
	Format   string
	Pattern  string
	Free     bool // stands for parameters of any name
	Required bool
	Example  any
}

// Body is what a request carries.
type Body struct {
	Text     string
	Type     reflect.Type
	Media    []string // empty: application/json
	Optional bool
}

// Answer is one way in which an operation succeeds.
type Answer struct {
	Status  int
	Text    string
	Headers []Header
	Bodies  []Content // none: no body
}

// Content is a body in one media type.
type Content struct {
	Media string
	Type  reflect.Type // nil: not JSON
	Lines bool         // a document of the type a line
}

// Header is a header of an answer.
type Header struct {
	Name     string
	Text     string
	Type     reflect.Type
	Values   []string
	Required bool
	Example  any
}
