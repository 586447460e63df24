package policy

import (
	"maps"
	"slices"
	"strings"

	"gantry/connectors/wire"
)

// Capabilities cuts what a connection could do to what the policy allows. A "no" of the policy replaces a yes, with
// reason and advice; a "no" of the definition or of the system stays, since allowing it here would not help. The
// argument is not changed.
func (p *Policy) Capabilities(c Connection, could wire.Capabilities) wire.Capabilities {
	may := could
	may.Entities = make(map[string]wire.EntityCapabilities, len(could.Entities))
	for name, entity := range could.Entities {
		may.Entities[name] = p.entity(c, name, entity)
	}
	may.Passthrough = p.passthroughCapability(c, could.Passthrough)
	return may
}

func (p *Policy) entity(c Connection, name string, e wire.EntityCapabilities) wire.EntityCapabilities {
	e.Operations = maps.Clone(e.Operations)
	for operation, capability := range e.Operations {
		capability.Verdict = p.verdict(c, name, operation, capability.Verdict)
		e.Operations[operation] = capability
	}
	e.Actions = maps.Clone(e.Actions)
	for action, capability := range e.Actions {
		capability.Verdict = p.verdict(c, name, action, capability.Verdict)
		e.Actions[action] = capability
	}
	if f := p.refusesOverlay(c, name); f != nil && e.Overlay.Allowed {
		e.Overlay = wire.OverlayCapability{Verdict: wire.Verdict{DeniedBy: wire.ByPolicy, Reason: f.Detail, Advice: f.Advice}}
	}
	all := p.of(c)
	e.Fields = cutFields(all, name, "", e.Fields)
	e.Filters = slices.DeleteFunc(slices.Clone(e.Filters), func(filter string) bool {
		return denies(all, name, filter) || denies(all, name, filterField(filter))
	})
	return e
}

func (p *Policy) verdict(c Connection, entity, operation string, v wire.Verdict) wire.Verdict {
	if !v.Allowed {
		return v
	}
	if f := p.refuses(c, entity, operation); f != nil {
		return wire.Verdict{DeniedBy: wire.ByPolicy, Reason: f.Detail, Advice: f.Advice}
	}
	return v
}

// cutFields marks the denied fields, also inside of objects and lists. They stay listed, so that a reader learns who
// said no; nothing can be done with them.
func cutFields(all []rules, entity, within string, fields map[string]wire.FieldCapability) map[string]wire.FieldCapability {
	cut := maps.Clone(fields)
	for name, field := range cut {
		path := strings.TrimPrefix(within+"."+name, ".")
		if denies(all, entity, path) {
			field = wire.FieldCapability{Type: field.Type, Ref: field.Ref, DeniedBy: wire.ByPolicy}
		} else {
			field.Fields = cutFields(all, entity, path, field.Fields)
		}
		cut[name] = field
	}
	return cut
}

// filterField gives the field behind a filter that is not named after it.
func filterField(filter string) string {
	switch filter {
	case "modified_after":
		return "updated_at"
	case "created_after":
		return "created_at"
	}
	return filter
}
