package policy

import (
	"slices"

	"gantry/configs"
	"gantry/tunnel/fault"
)

// reads are the operations that change nothing. Everything else, every action among it, is a write.
func reads(operation string) bool { return operation == "list" || operation == "get" }

// System reports whether the connection's system may be used at all: nil, or POLICY_DENIED of scope connection.
func (p *Policy) System(c Connection) error {
	for _, r := range p.of(c) {
		if f := r.system(c.System); f != nil {
			return f
		}
	}
	return nil
}

// Call reports whether an operation (list, get, create, update, delete, or an action's name) on an entity may run: nil,
// or POLICY_DENIED. A write that is refused has the outcome not_sent.
func (p *Policy) Call(c Connection, entity, operation string) error {
	if f := p.refuses(c, entity, operation); f != nil {
		if !reads(operation) {
			f.Ended(fault.NotSent)
		}
		f.ConnectionID = c.ID
		return f.In(entity, operation, "")
	}
	return nil
}

// refuses gives the first refusal, the widest scope first: a caller who may not use the system learns that, not
// that one operation is off.
func (p *Policy) refuses(c Connection, entity, operation string) *fault.Error {
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
	if !p.writes && !reads(operation) {
		return denied(fault.ScopeSite, "allow writes", "The plant's policy allows no writes.")
	}
	for _, r := range all {
		if f := r.operation(entity, operation); f != nil {
			return f
		}
	}
	return nil
}

func (r *rules) system(id string) *fault.Error {
	if slices.Contains(r.denySystems, id) || len(r.systems) > 0 && !slices.Contains(r.systems, id) {
		return denied(fault.ScopeConnection, "allow system "+word(id)+r.flag(),
			"The plant's policy does not allow the system %s%s.", id, r.whose())
	}
	return nil
}

func (r *rules) entity(name string) *fault.Error {
	if slices.Contains(r.denyEntities, name) || len(r.entities) > 0 && !slices.Contains(r.entities, name) {
		return denied(fault.ScopeEntity, "allow entity "+word(name)+r.flag(),
			"The plant's policy does not allow %s%s.", name, r.whose())
	}
	return nil
}

func (r *rules) operation(entity, name string) *fault.Error {
	covers := func(o configs.Operation) bool { return o.Covers(entity, name) }
	pattern := entity + ":" + name
	if i := slices.IndexFunc(r.denyOperations, covers); i >= 0 {
		pattern = r.denyOperations[i].String() // only the denial itself can be taken back
	} else if len(r.operations) == 0 || slices.ContainsFunc(r.operations, covers) {
		return nil
	}
	return denied(fault.ScopeOperation, "allow operation "+word(pattern)+r.flag(),
		"The plant's policy does not allow %s on %s%s.", name, entity, r.whose())
}

// flag and whose name the connection whose own rules refuse.
func (r *rules) flag() string {
	if r.connection == "" {
		return ""
	}
	return " --connection " + word(r.connection)
}

func (r *rules) whose() string {
	if r.connection == "" {
		return ""
	}
	return " on the connection " + r.connection
}

// denied makes the refusal; command is what follows `gantry-agent policy`.
func denied(scope fault.Scope, command, format string, args ...any) *fault.Error {
	return fault.New(fault.PolicyDenied, format, args...).Reaches(scope).
		Advise("Ask the plant's IT to run on the agent's host: gantry-agent policy %s", command)
}
