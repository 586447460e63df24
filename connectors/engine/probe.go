package engine

import (
	"context"
	"slices"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/tunnel/fault"
)

// needed is what one operation runs.
type needed struct {
	at         place
	statements []connectors.Statement
}

// probe asks a system that can tell what the login may do, and remembers what it may not.
func (e *Engine) probe(ctx context.Context) error {
	informer, ok := e.conn.(connectors.Informer)
	if !ok {
		return nil
	}
	var all []needed
	var statements []connectors.Statement
	for _, t := range e.tables {
		for _, n := range t.needs() {
			all = append(all, n)
			statements = append(statements, n.statements...)
		}
	}
	rights, err := informer.Rights(ctx, statements)
	if err != nil {
		return err
	}
	for _, n := range all {
		own := rights[:len(n.statements)]
		rights = rights[len(n.statements):]
		i := slices.IndexFunc(own, func(r connectors.Right) bool { return r.Denied })
		if i < 0 {
			e.denials.clear(n.at)
			continue
		}
		e.denials.note(n.at, fault.New(fault.PermissionDenied, "The login lacks a right in the system: %s.", own[i].Reason).
			Advise("Ask the system's administrator to give it to the login."))
	}
	return nil
}

// needs lists the entity's operations with what each of them runs.
func (t *table) needs() []needed {
	reads := []connectors.Statement{t.List, t.Get}
	for _, child := range t.Children {
		reads = append(reads, child.Statement)
	}
	reads = slices.DeleteFunc(reads, func(s connectors.Statement) bool { return s == nil })
	out := []needed{{place{entity: t.Name, operation: "list"}, reads}, {place{entity: t.Name, operation: "get"}, reads}}
	writes := append(t.recordWrites(), "create")
	for _, op := range writes {
		if p := t.procedure(op); p != nil {
			out = append(out, needed{place{entity: t.Name, operation: op}, stepsOf(effective(p))})
		}
	}
	return out
}

func stepsOf(p *definition.Procedure) []connectors.Statement {
	var out []connectors.Statement
	for _, call := range p.Steps {
		if !call.Reads {
			out = append(out, call.Statement)
		}
	}
	return out
}
