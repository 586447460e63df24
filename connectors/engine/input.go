package engine

import (
	"fmt"
	"maps"
	"slices"

	"gantry/connectors"
	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// maxMembers bounds one list of a request's body.
const maxMembers = 5000

// input is a body, checked against the definition and turned into parameters.
type input struct {
	vars   connectors.Vars              // by parameter name
	lists  map[string][]connectors.Vars // by the list's name: each member's parameters
	faults []fault.Field
	op     string // create, update or action
	hidden []string
}

// checkInput checks a body; the error names every fault of it at once.
func (t *table) checkInput(columns []*column, op string, body map[string]any, hidden []string) (*input, *fault.Error) {
	in := &input{vars: connectors.Vars{}, lists: map[string][]connectors.Vars{}, op: op, hidden: hidden}
	in.object(columns, body, "", in.vars)
	if op != "action" {
		in.custom(t.custom, body["custom_fields"])
	}
	return in, in.refusal()
}

// refusal sums the faults up under the code that fits them all.
func (in *input) refusal() *fault.Error {
	if len(in.faults) == 0 {
		return nil
	}
	code := map[string]fault.Code{"REQUIRED": fault.FieldRequired, "NOT_UPDATABLE": fault.FieldNotUpdatable,
		"UNKNOWN": fault.InvalidRequest, "DENIED": fault.PolicyDenied}[in.faults[0].Code]
	for _, f := range in.faults {
		if f.Code != in.faults[0].Code {
			code = fault.ValidationFailed
		}
	}
	if code == "" {
		code = fault.ValidationFailed
	}
	f := fault.New(code, "The body does not fit the entity: %d of its members cannot be taken.", len(in.faults)).Reaches(fault.ScopeRecord)
	if len(in.faults) == 1 {
		f.Detail = fmt.Sprintf("The field %s %s.", in.faults[0].Name, in.faults[0].Message)
	}
	f.Fields = in.faults
	return f
}

func (in *input) refuse(name, code, format string, args ...any) {
	if len(in.faults) < 100 {
		in.faults = append(in.faults, fault.Field{Name: name, Code: code, Message: fmt.Sprintf(format, args...)})
	}
}

// shown are the members of a record that a caller may send back as it got them: they say nothing.
var shown = []string{"custom_fields", "_actions", "_warnings"}

// object checks the members of one object; at is the path in front of their names in faults.
func (in *input) object(columns []*column, body map[string]any, at string, vars connectors.Vars) {
	for _, name := range slices.Sorted(maps.Keys(body)) {
		c := findColumn(columns, name)
		switch {
		case c == nil && at == "" && slices.Contains(shown, name) && in.op != "action":
		case c == nil && at == "" && slices.Contains([]string{"id", "etag", "created_at", "updated_at", "deleted_at"}, name) && in.op != "action":
			in.refuse(name, "NOT_UPDATABLE", "is the system's own and cannot be written")
		case c == nil:
			in.refuse(at+name, "UNKNOWN", "is no field of the entity")
		case (&view{denied: in.hidden}).hidden(c):
			in.refuse(at+name, "DENIED", "is denied by the plant's policy")
		case !in.writable(c):
			in.refuse(at+name, "NOT_UPDATABLE", "cannot be written on %s", in.op)
		default:
			in.member(c, body[name], at, vars)
		}
	}
	for _, c := range columns {
		if _, there := body[c.Name]; !there && in.required(c, at) {
			in.refuse(at+c.Name, "REQUIRED", "is required")
		}
	}
}

// writable reports whether the operation takes the field; of an object or a list, whether it takes anything of it.
func (in *input) writable(c *column) bool {
	if in.op == "action" || slices.Contains(c.Write, in.op) {
		return true
	}
	return c.Type == entity.Object && slices.ContainsFunc(c.members, in.writable)
}

// required reports whether a field must be there. Members of a list are always whole, for the list is replaced whole.
func (in *input) required(c *column, at string) bool {
	if slices.Contains(c.Requires, in.op) {
		return true
	}
	return at != "" && at[len(at)-2] == ']' && len(c.Requires) > 0
}

func (in *input) member(c *column, v any, at string, vars connectors.Vars) {
	switch {
	case v == nil && len(c.Requires) > 0:
		in.refuse(at+c.Name, "REQUIRED", "cannot be emptied")
	case c.Type == entity.Object:
		in.nested(c, v, at, vars)
	case c.Type == entity.List:
		in.list(c, v, at)
	default:
		native, problem := c.toNative(v)
		if problem != "" {
			in.refuse(at+c.Name, problemCode(problem), "%s", problem)
			return
		}
		vars[c.param] = native
	}
}

func problemCode(problem string) string {
	if len(problem) > 9 && problem[:9] == "is longer" {
		return "TOO_LONG"
	}
	return "INVALID"
}

func (in *input) nested(c *column, v any, at string, vars connectors.Vars) {
	body, ok := v.(map[string]any)
	if v == nil { // merge patch: the object goes, and so do its members
		body, ok = map[string]any{}, true
		for _, m := range c.members {
			if in.writable(m) {
				body[m.Name] = nil
			}
		}
	}
	if !ok {
		in.refuse(at+c.Name, "INVALID", "must be an object")
		return
	}
	in.object(c.members, body, at+c.Name+".", vars)
}

func (in *input) list(c *column, v any, at string) {
	items, ok := v.([]any)
	switch {
	case v == nil:
		items = nil
	case !ok:
		in.refuse(at+c.Name, "INVALID", "must be a list")
		return
	case len(items) > maxMembers:
		in.refuse(at+c.Name, "INVALID", "has more than %d members", maxMembers)
		return
	}
	in.lists[c.Name] = make([]connectors.Vars, 0, len(items))
	for i, item := range items {
		here := fmt.Sprintf("%s%s[%d]", at, c.Name, i)
		body, ok := item.(map[string]any)
		if !ok {
			in.refuse(here, "INVALID", "must be an object")
			continue
		}
		vars := connectors.Vars{}
		in.object(c.members, body, here+".", vars)
		in.lists[c.Name] = append(in.lists[c.Name], vars)
	}
}

func (in *input) custom(columns []*column, v any) {
	if v == nil {
		return
	}
	body, ok := v.(map[string]any)
	if !ok {
		in.refuse("custom_fields", "INVALID", "must be an object")
		return
	}
	in.object(columns, body, "custom_fields.", in.vars)
}
