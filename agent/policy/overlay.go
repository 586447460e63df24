package policy

import (
	"strings"

	"gantry/tunnel/fault"
)

// Overlay reports whether the cloud may map further columns of an entity: nil, or POLICY_DENIED. Where the plant keeps a field of
// the entity to itself it may not: like the native record, a column knows that field under another name.
func (p *Policy) Overlay(c Connection, entity string) error {
	f := p.refusesOverlay(c, entity)
	if f == nil {
		return nil
	}
	f.ConnectionID, f.Entity = c.ID, entity
	return f.Ended(fault.NotSent)
}

func (p *Policy) refusesOverlay(c Connection, entity string) *fault.Error {
	all := p.of(c)
	for _, r := range all {
		if f := r.system(c.System); f != nil {
			return f
		}
	}
	for _, r := range all {
		if f := r.entity(entity); f != nil {
			return f
		}
	}
	if !p.overlays {
		return denied(fault.ScopeSite, "allow overlays", "The plant's policy does not let the cloud map columns of its systems.")
	}
	for _, r := range all {
		for _, denial := range r.denyFields {
			if (denial.Entity == "*" || denial.Entity == entity) && !strings.HasPrefix(denial.Path, "custom_fields.") {
				return r.field(entity, native)
			}
		}
	}
	return nil
}
