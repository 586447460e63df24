package wire

import "encoding/json"

// PathPassthrough is POST Passthrough: 200 PassedThrough.
const PathPassthrough = "/v1/connections/{c}/passthrough"

// Passthrough is a request of a system's own: `method` and `path` of one over HTTP, or `call` of one that is called by method.
type Passthrough struct {
	Method   string                     `json:"method,omitempty" openapi:"GET|HEAD|POST|PUT|PATCH|MERGE|DELETE"` // of HTTP
	Path     string                     `json:"path,omitempty"`                                                  // below the connection's address, from its first slash on, escaped as in an address
	Query    map[string]json.RawMessage `json:"query,omitempty"`                                                 // each a text, a number, true, false, or a list of these
	Headers  map[string]string          `json:"headers,omitempty"`                                               // Accept, Accept-Language, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since, Prefer
	Body     json.RawMessage            `json:"body,omitempty"`                                                  // as `encoding` says
	Encoding string                     `json:"encoding,omitempty" openapi:"json|text|base64"`                   // what `body` is: JSON to be sent as it is (the default), a text, or bytes in base64
	Call     string                     `json:"call,omitempty"`                                                  // the method's whole name: model.party.party.search
	Params   []json.RawMessage          `json:"params,omitempty"`                                                // by their place; Gantry adds the login, and the context that some systems take
	Named    map[string]json.RawMessage `json:"named,omitempty"`                                                 // by their name, where the system has such
}

// PassedThrough is what the system answered.
type PassedThrough struct {
	Status   int               `json:"status"`                              // of HTTP, the system's own
	Headers  map[string]string `json:"headers"`                             // those that may pass
	Body     json.RawMessage   `json:"body"`                                // as `encoding` says; null: none. Of a call, the members `result` or `error`
	Encoding string            `json:"encoding" openapi:"json|text|base64"` // what `body` is: JSON, a text, or bytes in base64
}

// PassthroughCapability says whether requests of the system's own may be sent.
type PassthroughCapability struct {
	Verdict
	Form     string   `json:"form,omitempty" openapi:"http|call"` // how they look
	Patterns []string `json:"patterns,omitempty"`                 // those that the plant's policy lets through
}
