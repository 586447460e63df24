package calls

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"gantry/agent/policy"
	"gantry/connectors/definition"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// getOverlay tells which overlay is kept, and whether it is in force.
func (h *Handler) getOverlay(ctx context.Context, r *http.Request) (answer, error) {
	c, err := h.pool.find(ctx, r.PathValue("c"))
	if err != nil {
		return answer{}, err
	}
	o, err := h.keptOverlay(ctx, c.row.ID)
	if err != nil {
		return answer{}, err
	}
	return ok(h.overlayState(c.who(), o))
}

// putOverlay checks an overlay against the system as it is now, keeps it, and closes the login, so that the next call is made with it.
func (h *Handler) putOverlay(ctx context.Context, r *http.Request) (answer, error) {
	body, err := readBody(r, definition.MaxOverlay+1)
	if err != nil {
		return answer{}, err
	}
	o, err := definition.DecodeOverlay(body)
	if err != nil {
		return answer{}, err
	}
	c, err := h.pool.find(ctx, r.PathValue("c"))
	if err != nil {
		return answer{}, err
	}
	if o, err = h.fitted(ctx, r, c, o); err != nil {
		return answer{}, err
	}
	document, err := json.Marshal(o)
	if err != nil {
		return answer{}, err
	}
	if err := h.State.PutOverlay(ctx, c.row.ID, document); err != nil {
		return answer{}, notKept(err)
	}
	h.overlaid(c)
	h.Logger.InfoContext(ctx, "overlay changed", "connection", c.row.ID, "entities", len(o.Entities), "request_id", r.Header.Get(wire.HeaderRequestID))
	return ok(h.overlayState(c.who(), o))
}

// deleteOverlay takes the overlay away. The policy is not asked: it never stands in the way of less.
func (h *Handler) deleteOverlay(ctx context.Context, r *http.Request) (answer, error) {
	c, err := h.pool.find(ctx, r.PathValue("c"))
	if err != nil {
		return answer{}, err
	}
	if err := h.State.DeleteOverlay(ctx, c.row.ID); err != nil {
		return answer{}, notKept(err)
	}
	h.overlaid(c)
	h.Logger.InfoContext(ctx, "overlay deleted", "connection", c.row.ID, "request_id", r.Header.Get(wire.HeaderRequestID))
	return answer{status: http.StatusNoContent}, nil
}

func notKept(err error) error {
	return fault.New(fault.Internal, "The agent cannot store the overlay.").At(fault.HopAgent).Reaches(fault.ScopeSite).Because(err).
		Ended(fault.NotSent).Advise("Ask the plant's IT to check the disk of the agent's state folder.")
}

// overlaid closes the login of a connection whose overlay changed.
func (h *Handler) overlaid(c *connection) {
	h.pool.reset(errOverlaid(), func(other *connection) bool { return other.row.ID == c.row.ID })
}

func errOverlaid() error {
	return fault.New(fault.Conflict, "The connection's overlay changed during the call.").At(fault.HopAgent).Reaches(fault.ScopeConnection).
		After(time.Second).Advise("Send the call again: it is made with the new overlay.")
}

func (h *Handler) keptOverlay(ctx context.Context, connection string) (o wire.Overlay, err error) {
	o.Entities = map[string]wire.OverlayEntity{}
	document, err := h.State.Overlay(ctx, connection)
	if err == nil && len(document) > 0 {
		err = json.Unmarshal(document, &o)
	}
	if err != nil {
		return o, fault.New(fault.Internal, "The agent cannot read the overlay that it keeps.").At(fault.HopAgent).Reaches(fault.ScopeConnection).Because(err)
	}
	return o, nil
}

// overlayInForce is the kept overlay, as far as the plant's policy allows it now.
func (h *Handler) overlayInForce(ctx context.Context, who policy.Connection) (wire.Overlay, error) {
	o, err := h.keptOverlay(ctx, who.ID)
	p := h.Policy.Current()
	maps.DeleteFunc(o.Entities, func(entity string, _ wire.OverlayEntity) bool { return p.Overlay(who, entity) != nil })
	return o, err
}

// overlayState says whether an overlay is in force, and why not.
func (h *Handler) overlayState(who policy.Connection, o wire.Overlay) wire.OverlayState {
	state := wire.OverlayState{Overlay: o, InForce: len(o.Entities) > 0}
	p := h.Policy.Current()
	for _, entity := range slices.Sorted(maps.Keys(o.Entities)) {
		if err := p.Overlay(who, entity); err != nil {
			f := fault.From(err, fault.HopPolicy)
			state.InForce, state.Reason, state.Advice = false, f.Detail, f.Advice
			return state
		}
	}
	if _, err := h.compiled(who.System, o); err != nil {
		f := fault.From(err, fault.HopAgent)
		state.InForce, state.Reason, state.Advice = false, f.Detail, "Map the columns anew: PUT /connections/{id}/overlay."
		if len(f.Fields) > 0 {
			state.Reason += " " + f.Fields[0].Name + ": " + f.Fields[0].Message + "."
		}
	}
	return state
}

// compiled lays an overlay over the system's definition; what does not fit is a fault of the caller's.
func (h *Handler) compiled(system string, o wire.Overlay) (*definition.Program, error) {
	d, err := h.definition(system)
	if err != nil {
		return nil, err
	}
	program := h.Definitions().Program(d)
	if program == nil {
		return nil, errReset()
	}
	extended, err := program.Over(o)
	if err == nil {
		return extended, nil
	}
	f := unfit()
	for _, p := range definition.ProblemsOf(err) {
		f.Member(strings.ReplaceAll(p.Key, "/", "."), "INVALID", "%s", p.Message)
	}
	return nil, f
}

func unfit() *fault.Error {
	return fault.New(fault.InvalidRequest, "The overlay does not fit the system.").Reaches(fault.ScopeConnection).Ended(fault.NotSent).
		Advise("GET /connections/{id}/discovered lists the columns that can be mapped, and how.")
}

// fitted asks the policy and the system, and completes the overlay with what its columns hold.
func (h *Handler) fitted(ctx context.Context, r *http.Request, c *connection, o wire.Overlay) (wire.Overlay, error) {
	p := h.Policy.Current()
	for _, entity := range slices.Sorted(maps.Keys(o.Entities)) {
		if err := p.Overlay(c.who(), entity); err != nil {
			return o, err
		}
	}
	d, err := h.definition(c.row.System)
	if err != nil {
		return o, err
	}
	f := unfit()
	for _, entity := range slices.Sorted(maps.Keys(o.Entities)) {
		if d.Entities[entity] == nil {
			f.Member("entities."+entity, "UNKNOWN", "the system has no such entity")
			continue
		}
		found, err := h.discover(ctx, r.Header.Get(wire.HeaderRequestID), c, p, entity)
		if err != nil {
			return o, err
		}
		fit(f, entity, o.Entities[entity], found)
	}
	if len(f.Fields) > 0 {
		return o, f
	}
	_, err = h.compiled(c.row.System, o)
	return o, err
}

// fit checks the mapping of one entity against what was found.
func fit(f *fault.Error, entity string, o wire.OverlayEntity, found wire.DiscoveredEntity) {
	at := "entities." + entity
	if !found.Allowed {
		f.Member(at, "INVALID", "%s", found.Reason)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(o.CustomFields)) {
		field, here := o.CustomFields[name], at+".custom_fields."+name
		i := slices.IndexFunc(found.Columns, func(c wire.DiscoveredColumn) bool { return c.Name == field.From })
		if i < 0 {
			f.Member(here+".from", "UNKNOWN", "the system has no column %q beyond those of the definition", field.From)
			continue
		}
		column := found.Columns[i]
		field.Native = column.Native
		o.CustomFields[name] = field
		switch {
		case column.Native == "":
			f.Member(here+".from", "INVALID", "no field can hold what the column holds")
		case !slices.Contains(column.Types, field.Type):
			f.Member(here+".type", "INVALID", "the column holds %s: must be one of %s", column.Native, strings.Join(column.Types, ", "))
		case column.ReadOnly && len(field.Write) > 0:
			f.Member(here+".write", "INVALID", "the system takes no value for the column")
		}
		for _, op := range field.Write {
			if !slices.Contains(found.Writable, op) {
				f.Member(here+".write", "INVALID", "the definition has no place for a value on %s", op)
			}
		}
	}
}
