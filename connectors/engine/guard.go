package engine

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/tunnel/fault"
)

// effective is the procedure that does the work: a delete by status is an action.
func effective(p *definition.Procedure) *definition.Procedure {
	if p.Action != nil && p.Mode == "status" {
		return p.Action
	}
	return p
}

// deleteMode is the mode of a delete, and of nothing else.
func deleteMode(name string, p *definition.Procedure) string {
	if name != "delete" {
		return ""
	}
	return p.Mode
}

// procedure finds what an operation or an action does; nil: the definition has none of the name.
func (t *table) procedure(operation string) *definition.Procedure {
	if p := t.Procedures[operation]; p != nil {
		return p
	}
	return t.Actions[operation]
}

// recordWrites lists every write that acts on a record there is, in the order in which `_actions` shows them.
func (t *table) recordWrites() []string {
	var out []string
	for _, op := range []string{"update", "delete"} {
		if t.Procedures[op] != nil {
			out = append(out, op)
		}
	}
	return append(out, slices.Sorted(maps.Keys(t.Actions))...)
}

// guards lists the rules that judge an operation: of a delete by status also those of its action.
func (t *table) guards(operation string) []*definition.Guard {
	name := ""
	if p := t.procedure(operation); p != nil {
		name = effective(p).Name
	}
	return slices.DeleteFunc(slices.Clone(t.Guards), func(g *definition.Guard) bool {
		return !slices.Contains(g.On, operation) && !slices.Contains(g.On, name)
	})
}

// startsFrom reports whether an operation may start from a status.
func (t *table) startsFrom(operation, status string) bool {
	from := effective(t.procedure(operation)).From
	return len(from) == 0 || slices.Contains(from, status)
}

// actions appends what may be done to the record now: what policy, status and the rules that need no input allow.
func (x *encoder) actions(b []byte, row connectors.Row) []byte {
	start := len(b)
	b = append(b, `,"_actions":[`...)
	if x.left != "" {
		return append(b, ']')
	}
	var current map[string]any
	for _, op := range x.t.writes {
		if x.view.permits != nil && !x.view.permits(op) {
			continue
		}
		if !x.t.startsFrom(op, x.t.statusOf(row)) || !x.allowedByStatus(op, row) {
			continue
		}
		if len(x.t.byRecord[op]) > 0 {
			if current == nil {
				current = x.judged(b[x.start:start], row)
			}
			if x.denied(x.t.byRecord[op], current) {
				continue
			}
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = appendString(b, op)
	}
	return append(b, ']')
}

// judged is the record as rules see it. They see all of it, whatever the plant lets the caller see.
func (x *encoder) judged(shown []byte, row connectors.Row) map[string]any {
	if len(x.view.denied) == 0 {
		return decodeRecord(append(slices.Clone(shown), '}'))
	}
	whole := encoder{ctx: x.ctx, e: x.e, t: x.t, view: x.t.bare, children: x.children, cut: x.cut}
	return decodeRecord(whole.record(nil, row))
}

// allowedByStatus asks the rules that look at nothing but the status; their verdict is kept for the next record.
func (x *encoder) allowedByStatus(op string, row connectors.Row) bool {
	rules := x.t.byStatus[op]
	if len(rules) == 0 {
		return true
	}
	native := text(row[x.t.status.From])
	key := op + "\x00" + native
	if verdict, known := x.t.verdicts.Load(key); known {
		return verdict == true
	}
	status := map[string]any{"value": x.t.statusOf(row), "native_code": native}
	verdict := !x.denied(rules, map[string]any{"status": status})
	if _, mapped := x.t.status.codes[native]; mapped { // only so many: the system cannot fill the memory
		x.t.verdicts.Store(key, verdict)
	}
	return verdict
}

// denied reports whether one of the rules denies. One that cannot be judged denies.
func (x *encoder) denied(rules []*definition.Guard, current map[string]any) bool {
	scope := definition.Scope{"current": current, "login": x.e.login, "input": map[string]any{}}
	return slices.ContainsFunc(rules, func(g *definition.Guard) bool {
		denied, err := g.When.Holds(x.ctx, scope)
		return denied || err != nil
	})
}

// judge asks the rules about a write; nil: none denies it. A rule that cannot be judged denies.
func (e *Engine) judge(ctx context.Context, t *table, operation string, scope definition.Scope) *fault.Error {
	for _, g := range t.guards(operation) {
		denied, err := g.When.Holds(ctx, scope)
		if err != nil {
			return fault.New(fault.Internal, "The rule %q of the definition cannot be judged on this record.", g.ID).
				At(fault.HopAgent).Because(err)
		}
		if !denied {
			continue
		}
		f := fault.New(g.Deny, "%s", g.Message).At(fault.HopSystem).Reaches(fault.ScopeRecord)
		if g.Advice != "" {
			f.Advice = g.Advice
		}
		if g.Field != "" {
			f.Member(g.Field, string(g.Deny), "%s", g.Message)
		}
		return f
	}
	return nil
}

// decodeRecord gives a record as expressions see it: numbers as int64 or float64.
func decodeRecord(raw []byte) map[string]any {
	decoded, err := connectors.DecodeBody(raw)
	if err != nil { // the engine encoded it
		return map[string]any{}
	}
	return plain(decoded).(map[string]any)
}

// plain turns json.Number into what CEL knows, in a copy.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[name] = plain(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plain(item)
		}
		return out
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	}
	return v
}

// ruleChildren lists the children that expressions look at: they are fetched before a write is judged.
func (t *table) ruleChildren() []string {
	var texts []string
	for _, g := range t.Guards {
		texts = append(texts, g.Rule.When)
	}
	for _, op := range append(t.recordWrites(), "create") {
		if p := t.procedure(op); p != nil {
			texts = append(texts, slices.Collect(maps.Values(p.Write.Vars))...)
			for _, step := range p.Steps {
				texts = append(texts, step.Step.When)
				texts = append(texts, slices.Collect(maps.Values(step.Step.Vars))...)
			}
		}
	}
	var out []string
	for _, c := range t.columns {
		if t.Children[c.From] != nil && strings.Contains(strings.Join(texts, "\n"), "current."+c.Name) {
			out = append(out, c.From)
		}
	}
	return out
}
