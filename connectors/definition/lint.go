package definition

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/connectors/entity"
)

// lint finds what the schema cannot say, statements aside: those are the driver's, and Compile checks them.
func lint(d *Definition) Problems {
	c := &compiler{d: d, env: d.env}
	c.program()
	for _, name := range d.Login.Required {
		if _, there := d.Login.Properties[name]; !there {
			c.fault(place{"login", "required"}, "the form has no member %q", name)
		}
	}
	return c.problems
}

// checkLogin refuses what an expression takes of the login and would never get.
func (c *compiler) checkLogin(at place, x *Expression) {
	if x == nil {
		return
	}
	for _, name := range x.login {
		switch member, there := c.d.Login.Properties[name]; {
		case !there:
			c.fault(at, "the login has no member %q", name)
		case member.WriteOnly:
			c.fault(at, "login.%s is a credential: only the driver ever sees it, no expression", name)
		}
	}
}

// checkField checks one field against the canonical one of its name.
func (c *compiler) checkField(at place, f *Field, canonical []*entity.Field, name string) {
	if i := slices.IndexFunc(canonical, func(k *entity.Field) bool { return k.Name == name }); i >= 0 && f.Type != canonical[i].Type {
		c.fault(at.to("type"), "%s is %s in the canonical entity, not %s", name, canonical[i].Type, f.Type)
	}
	switch {
	case f.Discovered != "" && at[len(at)-2] != "custom_fields":
		c.fault(at.to("discovered"), "only custom fields come from discovered columns")
	case f.Type == "":
		c.fault(at, "%s is no canonical field: give it a `type`, or correct its name", name)
	case f.From != "" && f.Value != "":
		c.fault(at, "a field comes `from` a column or is a `value`, not both")
	case f.Value != "" && len(f.Write) > 0:
		c.fault(at.to("write"), "a computed field cannot be written")
	case f.Type == entity.Object && len(f.Fields) == 0 || f.Type == entity.List && len(f.Fields) == 0:
		c.fault(at, "%s has no members: give it `fields`", name)
	case f.Type == entity.Ref && f.Ref == "":
		c.fault(at, "%s is a reference: say to which entity with `ref`", name)
	}
	c.checkValues(at, f)
	if f.TZ != "" && !strings.Contains(f.TZ, "${") {
		if _, err := time.LoadLocation(f.TZ); err != nil {
			c.fault(at.to("tz"), "there is no time zone %q", f.TZ)
		}
	}
}

// checkValues checks an enumeration.
func (c *compiler) checkValues(at place, f *Field) {
	closed := f.Type == entity.Status || f.Type == entity.Enum
	if closed && len(f.Values) == 0 {
		c.fault(at, "an enumeration that is not canonical needs `values`")
		return
	}
	if f.Type == entity.Status && f.Value == "" && len(f.Enum) == 0 {
		c.fault(at, "a status needs an `enum` that maps the native codes")
	}
	for _, code := range slices.Sorted(maps.Keys(f.Enum)) {
		value := f.Enum[code]
		switch {
		case f.Type == entity.Boolean && value != "true" && value != "false":
			c.fault(at.to("enum", code), "%q is neither true nor false", value)
		case closed && !slices.Contains(f.Values, value):
			c.fault(at.to("enum", code), "%q is none of the values: %s", value, strings.Join(f.Values, ", "))
		}
	}
}

// checkEntity checks what joins the parts of an entity.
func (c *compiler) checkEntity(at place, t *Table) {
	if _, ok := entity.Lookup(t.Name); !ok {
		c.checkOwnName(at, t.Name)
	}
	c.checkList(at.to("operations", "list"), t)
	c.checkChildren(at, t)
	for _, op := range slices.Sorted(maps.Keys(t.Procedures)) {
		c.checkWrite(at.to("operations", op), t, t.Procedures[op])
		if t.Procedures[op].Leaves {
			c.fault(at.to("operations", op, "leaves"), "`leaves` is for actions")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Actions)) {
		c.checkWrite(at.to("actions", name), t, t.Actions[name])
		c.checkStates(at.to("actions", name), t, t.Actions[name].Write)
		c.checkLeaves(at.to("actions", name), t.Actions[name])
	}
	if del := t.Operations.Delete; del != nil && del.Mode == "status" && t.Entity.Actions[del.Action] == nil {
		c.fault(at.to("operations", "delete", "action"), "deleting by status needs an action; there is no %q", del.Action)
	}
	for i, rule := range t.Rules {
		c.checkRule(at.to("rules", strconv.Itoa(i)), t, rule)
	}
}

// checkOwnName keeps a system's own entities out of the words of the API.
func (c *compiler) checkOwnName(at place, name string) {
	if slices.Contains([]string{"entities", "connection", "records", "syncs"}, name) {
		c.fault(at, "%q is a word of the API itself", name)
	}
}

func (c *compiler) checkList(at place, t *Table) {
	list := t.Operations.List
	if list == nil {
		if !t.Readable() {
			c.fault(at, "an entity needs `list` or `get`")
		}
		return
	}
	for _, key := range t.Key {
		if !slices.ContainsFunc(list.Keyset, func(k Column) bool { return k.Name == key.Name }) {
			c.fault(at.to("keyset"), "the keyset lacks the key column %q: pages would skip or repeat records", key.Name)
		}
	}
	for _, name := range slices.Concat(list.Filters, list.Scan) {
		if of, since := map[string]string{"modified_after": "updated_at", "created_after": "created_at"}[name]; since {
			if f := t.Fields[of]; f == nil || f.From == "" {
				c.fault(at.to("filters"), "%s compares %s, which the definition maps to no column", name, of)
			}
			continue
		}
		f := t.Fields[name]
		if f == nil {
			f = t.CustomFields[name]
		}
		if f == nil || f.Type == entity.List || f.Type == entity.Object {
			c.fault(at, "%q is no field that can be filtered", name)
		} else if f.From == "" && slices.Contains(list.Filters, name) {
			c.fault(at.to("filters"), "%q comes from no column: filter it under `scan`", name)
		}
	}
}

func (c *compiler) checkChildren(at place, t *Table) {
	for _, m := range t.Members {
		if m.Type == entity.List && t.Children[m.From] == nil {
			c.fault(at.to("fields", m.Name, "from"), "there is no child %q", m.From)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Children)) {
		b := t.Children[name]
		switch {
		case b.Parent == "":
			c.checkParentKey(at.to("children", name), t, b)
		case b.Of == "":
			c.fault(at.to("children", name), "the key has several columns: say with `of` which of the parent's columns %q holds", b.Parent)
		}
	}
}

// checkParentKey checks a child that is read for each parent by the parent's key.
func (c *compiler) checkParentKey(at place, t *Table, b *Branch) {
	if b.Statement == nil {
		return
	}
	for _, key := range t.Key {
		if !slices.Contains(b.Statement.Params(), key.Name) {
			c.fault(at, "without `parent` the statement names the parent's key: :%s is missing", key.Name)
		}
	}
}

func (c *compiler) checkWrite(at place, t *Table, p *Procedure) {
	byStatus := p.Name == "delete" && p.Mode == "status"
	switch {
	case len(p.Write.Steps) == 0 && !byStatus:
		c.fault(at, "the operation does nothing: give it a statement, or steps under `tx`")
	case (p.Class == Keyed || p.Class == Lookup) && p.Idempotency == nil:
		c.fault(at, "class %s needs `idempotency` with a `find`", p.Class)
	case p.Class == Transactional && p.Write.Inbox == nil:
		c.fault(at, "class transactional needs an `inbox` with a `table`")
	case p.Write.Inbox != nil && c.d.Inbox == nil:
		c.fault(at.to("inbox"), "no layer has the statements of an `inbox`")
	}
}

// checkStates checks the status values that an action names.
func (c *compiler) checkStates(at place, t *Table, w *Write) {
	states := w.From
	if w.To != "" {
		states = append(slices.Clone(states), w.To)
	}
	status := t.Fields["status"]
	if status == nil {
		if len(states) > 0 {
			c.fault(at, "the entity has no field `status` to judge `from` and `to` by")
		}
		return
	}
	for _, state := range states {
		if !slices.Contains(status.Values, state) {
			c.fault(at, "%q is no status of the entity", state)
		}
	}
}

// checkLeaves checks that the end of an action after which no record can be read is known by other means.
func (c *compiler) checkLeaves(at place, p *Procedure) {
	if !p.Leaves {
		return
	}
	if p.To == "" {
		c.fault(at, "an action with `leaves` says with `to` what status the record leaves in")
	}
	if !slices.ContainsFunc(p.Steps, func(call *Call) bool { return call.Expect != nil }) {
		c.fault(at, "an action with `leaves` says with `expect` what the answer of a success looks like: no record is read after it")
	}
}

func (c *compiler) checkRule(at place, t *Table, rule Rule) {
	if !rule.Deny.Known() {
		c.fault(at.to("deny"), "there is no error code %q", rule.Deny)
	}
	for _, op := range rule.On {
		if t.Procedures[op] == nil && t.Actions[op] == nil {
			c.fault(at.to("on"), "the entity has no operation or action %q", op)
		}
	}
}
