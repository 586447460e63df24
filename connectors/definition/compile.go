package definition

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gantry/connectors"
	"gantry/connectors/entity"
)

// Compile prepares a definition for one of the drivers. The error, if any, is Problems: all of them.
func Compile(d *Definition, drivers []connectors.Driver) (*Program, error) {
	i := slices.IndexFunc(drivers, func(driver connectors.Driver) bool { return driver.Name() == d.Driver })
	if i < 0 {
		return nil, Problems{d.problem([]string{"driver"}, "there is no driver %q", d.Driver)}
	}
	c := &compiler{d: d, env: d.env, driver: drivers[i]}
	p := c.program()
	return p, c.problems.orNil()
}

// compiler compiles one definition and gathers what is wrong with it. Without a driver it checks all but the
// statements: that is lint.
type compiler struct {
	d        *Definition
	env      *environment
	driver   connectors.Driver
	problems Problems
}

// place is where in the definition the compiler is.
type place []string

func (p place) to(keys ...string) place { return append(slices.Clone(p), keys...) }

func (c *compiler) fault(at place, format string, args ...any) {
	c.problems = append(c.problems, c.d.problem(at, format, args...))
}

func (c *compiler) program() *Program {
	p := &Program{Definition: c.d, Driver: c.driver, Tables: map[string]*Table{}}
	if c.d.Protocol != nil {
		p.Protocol = c.statement(place{"protocol"}, &Step{Native: map[string]any{"protocol": c.d.Protocol}}, c.loginParams())
	}
	if c.d.Check != nil {
		p.Check = c.statement(place{"check"}, c.d.Check, c.loginParams())
	}
	for i, rule := range c.d.Errors {
		p.Errors = append(p.Errors, c.mapping(place{"errors", strconv.Itoa(i)}, rule))
	}
	for _, name := range slices.Sorted(maps.Keys(c.d.Entities)) {
		p.Tables[name] = c.table(place{"entities", name}, name, c.d.Entities[name])
	}
	return p
}

func (c *compiler) mapping(at place, rule ErrorRule) *Mapping {
	if !rule.Code.Known() {
		c.fault(at.to("code"), "there is no error code %q", rule.Code)
	}
	return &Mapping{
		ErrorRule: rule, When: c.condition(at.to("when"), rule.When), Message: c.template(at.to("message"), rule.Message),
		Advice: c.template(at.to("advice"), rule.Advice), Field: c.template(at.to("field"), rule.Field),
	}
}

func (c *compiler) condition(at place, text string) *Expression {
	if text == "" {
		return nil
	}
	x, err := c.env.condition(text)
	if err != nil {
		c.fault(at, "the expression does not compile: %v", err)
		return nil
	}
	c.checkLogin(at, x)
	return x
}

func (c *compiler) template(at place, text string) *Template {
	if text == "" {
		return nil
	}
	t, err := c.env.template(text)
	if err != nil {
		c.fault(at, "the expression does not compile: %v", err)
		return nil
	}
	for _, p := range t.parts {
		c.checkLogin(at, p.expression)
	}
	return t
}

func (c *compiler) bindings(at place, vars map[string]string) []Binding {
	var out []Binding
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		out = append(out, Binding{name, c.template(at.to("vars", name), vars[name])})
	}
	return out
}

// statement compiles the driver's part of a step, and checks that every parameter comes from somewhere.
func (c *compiler) statement(at place, step *Step, known map[string]bool) connectors.Statement {
	if c.driver == nil || step == nil {
		return nil
	}
	if len(step.Native) == 0 {
		c.fault(at, "the step has nothing for the driver")
		return nil
	}
	s, err := c.driver.Compile(c.d.Dialect, step.Native)
	if err != nil {
		c.fault(at, "%v", err)
		return nil
	}
	for _, param := range s.Params() {
		if !known[param] {
			c.fault(at, "nothing provides the parameter :%s; there are %s", param, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return s
}

func (c *compiler) table(at place, name string, e *Entity) *Table {
	bare := e.Operations.List
	e, discover, room := c.widen(at, e)
	t := &Table{Entity: e, Name: name, Children: map[string]*Branch{}, Procedures: map[string]*Procedure{}, Actions: map[string]*Procedure{}, Discover: discover, Room: room}
	t.Members, t.Envelope = c.ownFields(at.to("fields"), name, e)
	t.Custom = c.members(at.to("custom_fields"), e.CustomFields, nil)
	keys, columns := union(c.loginParams(), columnParams(e.Key)), columnsOf(e)
	if list := e.Operations.List; list != nil {
		t.List = selected(c.statement(at.to("operations", "list"), &list.Step, c.loginParams()), columns)
		if t.Bare = t.List; list != bare {
			t.Bare = c.statement(at.to("operations", "list"), &bare.Step, c.loginParams())
		}
	}
	t.Get = selected(c.statement(at.to("operations", "get"), e.Operations.Get, keys), columns)
	t.Lock = c.statement(at.to("lock"), e.Lock, keys)
	for _, child := range slices.Sorted(maps.Keys(e.Children)) {
		b := e.Children[child]
		known := c.loginParams()
		if b.Parent == "" {
			known = keys
		}
		statement := c.statement(at.to("children", child), &b.Step, known)
		t.Children[child] = &Branch{b, selected(statement, childColumns(child, b, e.Fields))}
	}
	for _, action := range slices.Sorted(maps.Keys(e.Actions)) {
		t.Actions[action] = c.procedure(at.to("actions", action), action, e, e.Actions[action])
	}
	ops := map[string]*Write{"create": e.Operations.Create, "update": e.Operations.Update, "delete": e.Operations.Delete}
	for _, op := range slices.Sorted(maps.Keys(ops)) {
		if ops[op] != nil {
			t.Procedures[op] = c.procedure(at.to("operations", op), op, e, ops[op])
		}
	}
	if del := t.Procedures["delete"]; del != nil {
		del.Action = t.Actions[del.Write.Action]
	}
	for i, rule := range e.Rules {
		t.Guards = append(t.Guards, c.guard(at.to("rules", strconv.Itoa(i)), rule))
	}
	c.checkEntity(at, t)
	return t
}

var statusOnly = regexp.MustCompile(`\bcurrent\.status(\.value|\.native_code)\b`)

func (c *compiler) guard(at place, rule Rule) *Guard {
	rest := statusOnly.ReplaceAllString(rule.When, "")
	return &Guard{
		Rule: rule, When: c.condition(at.to("when"), rule.When),
		ByStatus:   !strings.Contains(rest, "current") && !strings.Contains(rest, "input"),
		NeedsInput: strings.Contains(rest, "input"),
	}
}

func (c *compiler) procedure(at place, name string, e *Entity, w *Write) *Procedure {
	p := &Procedure{Write: w, Name: name, Vars: c.bindings(at, w.Vars)}
	p.Input = c.members(at.to("input"), w.Input, nil)
	known := union(c.loginParams(), columnParams(e.Key), fieldParams("", e.Fields), fieldParams("", e.CustomFields),
		inputParams("", w.Input), names("idempotency_key", "now"), keysOf(w.Vars))
	if e.Version != nil {
		known[e.Version.Name] = true
	}
	for i, step := range w.Steps {
		here := at.to("tx", strconv.Itoa(i))
		call := c.call(here, step, c.stepParams(here, e, w, step, known))
		if step.Reads {
			call.Statement = selected(call.Statement, names(step.Returns...))
		}
		c.checkLists(here, call.Statement, e, w)
		p.Steps = append(p.Steps, call)
		known = union(known, names(step.Returns...))
	}
	if w.Idempotency != nil {
		p.Find = c.call(at.to("idempotency", "find"), w.Idempotency.Find, union(c.loginParams(), names("idempotency_key")))
		p.Find.Statement = selected(p.Find.Statement, columnParams(e.Key))
	}
	if w.Inbox != nil && c.d.Inbox != nil {
		p.Inbox = c.inbox(at.to("inbox"), w.Inbox.Table)
	}
	return p
}

// checkLists checks that the lists that a statement takes whole are there, and have the members that it names.
func (c *compiler) checkLists(at place, s connectors.Statement, e *Entity, w *Write) {
	deep, ok := s.(connectors.Deep)
	if !ok {
		return
	}
	lists := deep.Lists()
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		members, ok := listParams(name, e, w)
		if !ok {
			c.fault(at, "the statement takes %q, which is no list of the entity", name)
			continue
		}
		for _, param := range lists[name] {
			if !members[param] && param != "index" {
				c.fault(at, "the members of %s have no writable field %q", name, param)
			}
		}
	}
}

// listParams gives the parameters of a list's members; false where there is no such list.
func listParams(name string, e *Entity, w *Write) (map[string]bool, bool) {
	if list := w.Input[name]; list != nil && list.Type == entity.List {
		return inputParams("", list.Fields), true
	}
	if list := e.Fields[name]; list != nil && list.Type == entity.List {
		return fieldParams("", list.Fields), true
	}
	return nil, false
}

// stepParams adds what `for_each` brings: the members of the list, and the index.
func (c *compiler) stepParams(at place, e *Entity, w *Write, step *Step, known map[string]bool) map[string]bool {
	known = union(known, keysOf(step.Vars))
	if step.ForEach == "" {
		return known
	}
	members, ok := listParams(step.ForEach, e, w)
	if !ok {
		c.fault(at, "for_each names %q, which is no list of the entity", step.ForEach)
		return known
	}
	return union(known, names("index"), members)
}

func (c *compiler) call(at place, step *Step, known map[string]bool) *Call {
	return &Call{
		Step: step, Statement: c.statement(at, step, known), When: c.condition(at.to("when"), step.When),
		Expect: c.condition(at.to("expect"), step.Expect), Vars: c.bindings(at, step.Vars),
	}
}

// inbox puts the table's name, which the schema keeps to a plain identifier, into the base layer's statements.
func (c *compiler) inbox(at place, table string) *InboxCalls {
	known := union(c.loginParams(), names("idempotency_key", "record_id", "entity", "operation", "now"))
	in := func(step *Step) *Call {
		named := *step
		named.Native = maps.Clone(step.Native)
		for key, value := range named.Native {
			if text, ok := value.(string); ok {
				named.Native[key] = strings.ReplaceAll(text, "{table}", table)
			}
		}
		return c.call(at, &named, known)
	}
	return &InboxCalls{Insert: in(c.d.Inbox.Insert), Find: in(c.d.Inbox.Find), Finish: in(c.d.Inbox.Finish)}
}

// ownFields compiles the entity's fields in canonical order, and the envelope's apart.
func (c *compiler) ownFields(at place, name string, e *Entity) (own, envelope []*Member) {
	var canonical []*entity.Field
	if known, ok := entity.Lookup(name); ok {
		canonical = known.Fields
	}
	for _, m := range c.members(at, e.Fields, append(slices.Clone(canonical), entity.Envelope()...)) {
		if slices.ContainsFunc(entity.Envelope(), func(f *entity.Field) bool { return f.Name == m.Name }) {
			envelope = append(envelope, m)
			continue
		}
		own = append(own, m)
	}
	return own, envelope
}

// members compiles fields: those of the canonical entity in its order, the others after them by name.
func (c *compiler) members(at place, fields map[string]*Field, canonical []*entity.Field) []*Member {
	rank := func(name string) int {
		if i := slices.IndexFunc(canonical, func(f *entity.Field) bool { return f.Name == name }); i >= 0 {
			return i
		}
		return len(canonical)
	}
	order := slices.SortedFunc(maps.Keys(fields), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
	})
	var out []*Member
	for _, name := range order {
		f, here := fields[name], at.to(name)
		var inner []*entity.Field
		if i := rank(name); i < len(canonical) {
			inner = canonical[i].Fields
		}
		c.checkField(here, f, canonical, name)
		out = append(out, &Member{
			Field: f, Name: name, Computed: c.template(here.to("value"), f.Value), Zone: c.template(here.to("tz"), f.TZ),
			Members: c.members(here.to("fields"), f.Fields, inner),
		})
	}
	return out
}
