package calls

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"gantry/agent/policy"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// discoverTime bounds the look at one entity.
const discoverTime = 10 * time.Second

// discovered finds what the system has beyond its definition: of one entity, or of all.
func (h *Handler) discovered(ctx context.Context, r *http.Request) (answer, error) {
	found, err := h.Discover(ctx, r.Header.Get(wire.HeaderRequestID), r.PathValue("c"), r.URL.Query().Get("entity"))
	if err != nil {
		return answer{}, err
	}
	return ok(found)
}

// Discover looks at an entity of a connection, or at all of them (entity empty), as its calls do: the plant's policy, quiet hours,
// circuits and limits hold. An entity that the login or the policy refuses says so, and the others are told.
func (h *Handler) Discover(ctx context.Context, requestID, id, entity string) (wire.Discovered, error) {
	out := wire.Discovered{Entities: map[string]wire.DiscoveredEntity{}}
	c, err := h.pool.find(ctx, id)
	if err != nil {
		return out, err
	}
	d, err := h.definition(c.row.System)
	if err != nil {
		return out, err
	}
	p := h.Policy.Current()
	if err := p.System(c.who()); err != nil {
		return out, err
	}
	if entity != "" && d.Entities[entity] == nil {
		return out, fault.New(fault.NotFound, "This system has no entity %q.", entity).Reaches(fault.ScopeEntity).
			Advise("See GET /connection/capabilities for the entities that there are.")
	}
	for _, name := range slices.Sorted(maps.Keys(d.Entities)) {
		if entity != "" && name != entity {
			continue
		}
		if out.Entities[name], err = h.discover(ctx, requestID, c, p, name); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (h *Handler) discover(ctx context.Context, requestID string, c *connection, p *policy.Policy, entity string) (wire.DiscoveredEntity, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	none := wire.DiscoveredEntity{Columns: []wire.DiscoveredColumn{}}
	if err := p.Call(c.who(), entity, "list"); err != nil {
		f := fault.From(err, fault.HopPolicy)
		none.DeniedBy, none.Reason, none.Advice = wire.ByPolicy, f.Detail, f.Advice
		return none, nil
	}
	if err := c.awake(p); err != nil {
		return none, err
	}
	request := &http.Request{Header: http.Header{wire.HeaderRequestID: {requestID}}}
	call := &entityCall{connection: c, policy: p, entity: entity, operation: "list", request: request}
	found := none
	err := h.withEngine(ctx, call, func(ctx context.Context, l *lease) (err error) {
		found, err = l.Discover(ctx, entity)
		return err
	})
	if fault.Is(err, fault.PermissionDenied) {
		f := fault.From(err, fault.HopAgent)
		none.DeniedBy, none.Reason, none.Advice = wire.ByProbe, f.Detail, f.Advice
		return none, nil
	}
	return found, call.located(err)
}
