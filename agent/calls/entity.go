package calls

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"gantry/agent/health"
	"gantry/agent/policy"
	"gantry/configs"
	"gantry/connectors/engine"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// entityCall is one call on an entity's records.
type entityCall struct {
	connection *connection
	policy     *policy.Policy // one policy throughout the call
	hidden     policy.Fields  // what the plant keeps to itself
	entity     string
	operation  string // list, get, create, update, delete, or an action's name
	action     bool
	id         string
	request    *http.Request
}

// entityHandled runs one call on an entity.
type entityHandled func(ctx context.Context, c *entityCall) (answer, error)

// onEntity finds the connection and asks the plant's policy before anything else happens. Every fault then says which
// entity, operation and record it is about.
func (h *Handler) onEntity(operation string, do entityHandled) handled {
	return func(ctx context.Context, r *http.Request) (answer, error) {
		c, err := h.entityCall(ctx, r, operation)
		if err != nil {
			return answer{}, notSent(err)
		}
		a, err := do(ctx, c)
		return a, c.located(err)
	}
}

func (h *Handler) entityCall(ctx context.Context, r *http.Request, operation string) (*entityCall, error) {
	connection, err := h.pool.find(ctx, r.PathValue("c"))
	if err != nil {
		return nil, err
	}
	c := &entityCall{
		connection: connection, policy: h.Policy.Current(),
		entity: r.PathValue("entity"), operation: operation, id: r.PathValue("id"), request: r,
	}
	if c.operation == "" {
		c.operation, c.action = r.PathValue("action"), true
	}
	if err := c.policy.Call(connection.who(), c.entity, c.operation); err != nil {
		return nil, err
	}
	if err := connection.awake(c.policy); err != nil {
		return nil, c.located(err)
	}
	c.hidden = c.policy.Fields(connection.who(), c.entity)
	return c, c.located(c.checkParams())
}

// located completes a fault with where it happened.
func (c *entityCall) located(err error) error {
	if err == nil {
		return nil
	}
	f := fault.From(err, fault.HopAgent)
	if f.Entity != "" && f.Operation != "" {
		return err
	}
	f = f.Clone()
	f.Entity, f.Operation = c.entity, c.operation
	if f.RecordID == "" {
		f.RecordID = c.id
	}
	return f
}

// checkParams refuses a query that names a field which the plant keeps to itself: a filter would give its values away.
func (c *entityCall) checkParams() error {
	for name, values := range c.request.URL.Query() {
		fields := []string{name}
		switch name {
		case "limit", "cursor", "dry_run":
			continue
		case "include": // remote_data knows every field under another name
			fields = values
		case "modified_after":
			fields = []string{"updated_at"}
		case "created_after":
			fields = []string{"created_at"}
		case "fields":
			fields = strings.Split(strings.Join(values, ","), ",")
		}
		if err := c.allFields(fields); err != nil {
			return err
		}
	}
	return nil
}

func (c *entityCall) allFields(fields []string) error {
	for _, field := range fields {
		if err := c.policy.Field(c.connection.who(), c.entity, field); err != nil {
			return err
		}
	}
	return nil
}

// checkBody refuses a body that names such a field, at any depth. A body that is no object is the engine's to refuse.
func (c *entityCall) checkBody(body []byte) error {
	if c.hidden.None() || len(body) == 0 {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return nil
	}
	return c.allFields(paths(nil, "", value))
}

// paths lists the members of a value with dots between levels; the members of a list count as the list's own.
func paths(all []string, within string, value any) []string {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			path := strings.TrimPrefix(within+"."+name, ".")
			all = paths(append(all, path), path, member)
		}
	case []any:
		for _, member := range v {
			all = paths(all, within, member)
		}
	}
	return all
}

// admit asks whether the connection's health lets the call reach for the system. It waits a little where the system asked
// for fewer calls.
func (c *entityCall) admit(ctx context.Context) (health.Permit, error) {
	place := health.Place{Entity: c.entity, Operation: c.operation}
	if c.entity == "" { // a passage is the connection's as a whole
		place = health.Place{}
	}
	return admit(ctx, c.connection, place, c.request.Header.Get(wire.HeaderRequestID))
}

func admit(ctx context.Context, c *connection, place health.Place, requestID string) (health.Permit, error) {
	for patience := longest(ctx); ; {
		permit, err := c.health.Admit(place, requestID)
		f, throttled := errors.AsType[*fault.Error](err)
		if err == nil || !throttled || f.Code != fault.SystemRateLimited || f.RetryAfter > patience {
			return permit, err
		}
		patience -= f.RetryAfter
		if err := (turn{delay: f.RetryAfter}).wait(ctx); err != nil {
			return permit, err
		}
	}
}

// enter takes a place within the caps of the plant and of the system, and may wait a little for it.
func (c *entityCall) enter(ctx context.Context, l *lease) (leave func(), err error) {
	limits := caps{concurrency: c.policy.Concurrency(c.connection.who()), policy: c.policy.Rate(c.connection.who())}
	if l.definition != nil {
		limits.system, _ = configs.ParseRate(l.definition.Limits.Rate) // the definition's linter has checked it
	}
	return c.connection.limiter.enter(ctx, limits)
}

// query is what the engine is asked.
func (c *entityCall) query() engine.Query {
	return engine.Query{
		Params: c.request.URL.Query(), MaxRows: c.policy.MaxRows(c.connection.who()),
		Hidden: c.hidden.Paths(), Permits: c.permits,
	}
}

// permits tells which of a record's actions may be offered.
func (c *entityCall) permits(operation string) bool {
	return c.policy.Call(c.connection.who(), c.entity, operation) == nil
}

// path is the call as the public API has it, for the journal: the fingerprint must not depend on the inner protocol.
func (c *entityCall) path() string {
	return strings.TrimPrefix(wire.RecordPath("", c.entity, c.id, c.actionName()), "/v1/connections//records")
}

func (c *entityCall) actionName() string {
	if c.action {
		return c.operation
	}
	return ""
}
