package api

import (
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/tunnel/fault"
)

// The operations, as the contract calls them. opAction stands in metrics for every action, whose names are foreign.
const (
	opList   = "list"
	opGet    = "get"
	opCreate = "create"
	opUpdate = "update"
	opDelete = "delete"
	opAction = "action"
)

// Bounds of what travels to the agent beside the body, in bytes.
const (
	maxKey      = 255
	maxETag     = 512
	maxRecordID = 512
)

// entityName is the form of an entity's and an action's name.
var entityName = regexp.MustCompile(`^[a-z][a-z0-9]*([-_][a-z0-9]+)*$`)

// entity serves one operation on the entity that the path names. Whether the system has the entity is the agent's to say.
func (a *API) entity(operation string) dataAnswer {
	return func(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
		ctx, unheld := a.auth.Call(r.Context(), p)
		if r.Method == http.MethodGet { // a write that the agent has begun outlives a pause and a new login, and tells how it ended
			r = r.WithContext(ctx)
		}
		c, err := a.parse(w, r, p, operation, unheld)
		if err != nil {
			return err
		}
		if operation == opList && wantsStream(r) {
			w.(*visit).operation = "stream"
			return a.stream(w, r, c)
		}
		return a.unary(w, r, c)
	}
}

// parse makes a call of a request, unless the connection makes none now. A write that fails here was not sent, and says so.
func (a *API) parse(w http.ResponseWriter, r *http.Request, p *auth.Principal, operation string, unheld error) (*call, error) {
	c := &call{
		connection: *p.Connection, method: r.Method, operation: operation,
		entity: clip(r.PathValue("entity")), record: clip(r.PathValue("id")),
		location: r.URL.EscapedPath(),
	}
	err := unheld
	if err == nil {
		err = a.fill(w, r, c)
	}
	if err != nil {
		return nil, a.unsent(err, c)
	}
	return c, nil
}

// unsent is the failure of a call before anything was sent.
func (a *API) unsent(err error, c *call) error {
	e := classify(err).Clone()
	if c.write() {
		e.Ended(fault.NotSent)
	}
	return a.complete(e, c)
}

func (a *API) fill(w http.ResponseWriter, r *http.Request, c *call) (err error) {
	entity, id, action := r.PathValue("entity"), r.PathValue("id"), r.PathValue("action")
	if !entityName.MatchString(entity) || len(entity) > 64 {
		return fault.New(fault.NotFound, "There is no such entity or path.").Reaches(fault.ScopeEntity).
			Advise("See GET /connection/capabilities for the entities that there are.")
	}
	if len(id) > maxRecordID || strings.ContainsAny(id, "\x00\r\n") {
		return fault.New(fault.NotFound, "There is no record of such an id.")
	}
	if action != "" {
		if !entityName.MatchString(action) || len(action) > 64 {
			return fault.New(fault.NotFound, "There is no such action.").Reaches(fault.ScopeOperation).
				Advise("See GET /connection/capabilities for the actions of the entity.")
		}
		c.operation = action
	}
	c.path = wire.RecordPath(c.connection.ID, entity, id, action)
	if c.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return fault.New(fault.InvalidRequest, "The query of the address is malformed.").Member("query", "INVALID", "escape `%%`, `;` and `&` in values").Because(err)
	}
	if err := c.conditions(r); err != nil {
		return err
	}
	c.body, err = a.body(w, r)
	return err
}

// body reads what a write carries. An action and a delete may have none.
func (a *API) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	switch r.Method {
	case http.MethodGet, http.MethodDelete:
		return nil, noBody(r)
	}
	if r.PathValue("action") != "" {
		return a.optionalBody(w, r)
	}
	return a.readBody(w, r)
}

// conditions reads the headers of a write that travel.
func (c *call) conditions(r *http.Request) error {
	c.idempotencyKey, c.ifMatch = r.Header.Get(wire.HeaderIdempotencyKey), r.Header.Get(wire.HeaderIfMatch)
	switch {
	case len(r.Header.Values(wire.HeaderIdempotencyKey)) > 1, c.idempotencyKey != "" && !sane(c.idempotencyKey, maxKey):
		return fault.New(fault.InvalidRequest, "The Idempotency-Key is malformed.").
			Member(wire.HeaderIdempotencyKey, "INVALID", "one key of up to %d printable ASCII characters", maxKey)
	case len(r.Header.Values(wire.HeaderIfMatch)) > 1, c.ifMatch != "" && !sane(c.ifMatch, maxETag):
		return fault.New(fault.InvalidRequest, "The If-Match header is malformed.").
			Member(wire.HeaderIfMatch, "INVALID", "one etag of up to %d printable ASCII characters", maxETag)
	}
	if !c.write() { // they mean nothing on a read, and do not travel
		c.idempotencyKey, c.ifMatch = "", ""
	}
	return nil
}

// sane takes printable ASCII within a length: what may stand in a header on both sides.
func sane(value string, limit int) bool {
	if len(value) > limit {
		return false
	}
	for _, c := range []byte(value) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

// wantsStream reports whether the caller asks for NDJSON.
func wantsStream(r *http.Request) bool {
	for _, accept := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(accept, ",") {
			if kind, _, err := mime.ParseMediaType(part); err == nil && kind == wire.NDJSON {
				return true
			}
		}
	}
	return false
}

// capabilities serves what the connection can do, as its agent says.
func (a *API) capabilities(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if len(r.URL.Query()) > 0 {
		return fault.New(fault.InvalidRequest, "This path takes no parameters.")
	}
	ctx, err := a.auth.Call(r.Context(), p)
	if err != nil {
		return err
	}
	return a.unary(w, r.WithContext(ctx), &call{
		connection: *p.Connection, method: http.MethodGet, operation: "capabilities",
		path: wire.ConnectionPath(p.Connection.ID) + "/capabilities",
	})
}
