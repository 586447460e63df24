package engine

import (
	"slices"
	"sync"

	"gantry/connectors/definition"
	"gantry/connectors/entity"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// denials remembers what the system was seen to refuse the login, until it lets it happen. The zero value is ready.
type denials struct {
	mu   sync.Mutex
	seen map[place]*fault.Error // place without a record
}

func (d *denials) note(at place, f *fault.Error) {
	if f.Code != fault.PermissionDenied || at.entity == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen == nil {
		d.seen = map[place]*fault.Error{}
	}
	d.seen[place{entity: at.entity, operation: at.operation}] = f
}

func (d *denials) clear(at place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.seen, place{entity: at.entity, operation: at.operation})
}

func (d *denials) verdict(entity, operation string) wire.Verdict {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.seen[place{entity: entity, operation: operation}]; f != nil {
		return wire.Verdict{DeniedBy: wire.ByProbe, Reason: f.Detail, Advice: f.Advice}
	}
	return wire.Verdict{Allowed: true}
}

// Capabilities tells what the definition offers, less what the login was seen to be refused. The agent cuts it by the
// plant's policy.
func (e *Engine) Capabilities() wire.Capabilities {
	d := e.program.Definition
	out := wire.Capabilities{System: d.Metadata.ID, Version: d.Metadata.Version, Entities: map[string]wire.EntityCapabilities{}, Passthrough: passthrough(d)}
	for name, t := range e.tables {
		out.Entities[name] = wire.EntityCapabilities{
			Operations: e.operations(t), Actions: e.actionCapabilities(t), Fields: t.fields(), Filters: t.filters(nil), Rules: t.ruleCapabilities(),
			Overlay: t.overlayCapability(),
		}
	}
	return out
}

func passthrough(d *definition.Definition) wire.PassthroughCapability {
	out := wire.PassthroughCapability{Form: string(d.Passes())}
	if out.Allowed = out.Form != ""; !out.Allowed {
		out.DeniedBy, out.Reason = wire.ByDefinition, "The system takes no requests of its own."
	}
	return out
}

func (e *Engine) operations(t *table) map[string]wire.OperationCapability {
	out := map[string]wire.OperationCapability{}
	offered := t.Names()
	for _, name := range []string{"list", "get", "create", "update", "delete"} {
		capability := wire.OperationCapability{Verdict: wire.Verdict{
			DeniedBy: wire.ByDefinition, Reason: "The system, or its definition, has no such operation on this entity.",
		}}
		if slices.Contains(offered, name) {
			capability.Verdict = e.denials.verdict(t.Name, name)
		}
		if p := t.Procedures[name]; p != nil {
			capability.Class, capability.Mode = string(effective(p).Class), deleteMode(name, p)
		}
		out[name] = capability
	}
	return out
}

func (e *Engine) actionCapabilities(t *table) map[string]wire.ActionCapability {
	out := map[string]wire.ActionCapability{}
	for name, p := range t.Actions {
		capability := wire.ActionCapability{Title: p.Title, From: p.From, To: p.To}
		capability.Verdict, capability.Class = e.denials.verdict(t.Name, name), string(p.Class)
		for _, m := range p.Input {
			capability.Input = append(capability.Input, m.Name)
		}
		out[name] = capability
	}
	return out
}

func (t *table) fields() map[string]wire.FieldCapability {
	out := t.fieldCapabilities(t.columns)
	for name, f := range t.fieldCapabilities(t.custom) {
		out["custom_fields."+name] = f
	}
	return out
}

func (t *table) fieldCapabilities(columns []*column) map[string]wire.FieldCapability {
	out := map[string]wire.FieldCapability{}
	for _, c := range columns {
		f := wire.FieldCapability{
			Type: string(c.Type), Ref: c.Ref, Values: c.Values, Writable: c.Write, Required: c.Requires, MaxLength: c.MaxLength,
		}
		if t.field(c.Name) == c {
			pushed, scanned := t.filterable(c.Name)
			f.Filterable = pushed || scanned
		}
		if c.Type == entity.Object || c.Type == entity.List {
			f.Fields = t.fieldCapabilities(c.members)
		}
		out[c.Name] = f
	}
	return out
}

func (t *table) ruleCapabilities() []wire.RuleCapability {
	var out []wire.RuleCapability
	for _, rule := range t.Guards {
		out = append(out, wire.RuleCapability{On: rule.On, Code: string(rule.Deny), Message: rule.Message})
	}
	return out
}
