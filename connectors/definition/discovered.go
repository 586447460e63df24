package definition

import (
	"maps"
	"slices"

	"gantry/connectors"
	"gantry/connectors/entity"
)

// Room is what an overlay may add to an entity.
type Room struct {
	Readable bool
	Writable []string // create, update: where a value can be sent
	Reason   string   // why there is none to read, or to write
}

// aliasPrefix keeps the columns of discovered fields apart from those of statements. With it the longest name fits into the 63
// bytes that PostgreSQL has for a name.
const aliasPrefix = "x_"

// completeDiscovered gives the fields that come from discovered columns their aliases, and offers their filters.
func (e *Entity) completeDiscovered() {
	for _, name := range slices.Sorted(maps.Keys(e.CustomFields)) {
		f := e.CustomFields[name]
		if f.Discovered == "" {
			continue
		}
		f.From = aliasPrefix + name
		if list := e.Operations.List; list != nil && f.Filterable {
			list.Filters = append(list.Filters, name)
		}
	}
}

// natives lists the canonical types of a discovered field, the suggestion first.
var natives = map[Native][]entity.Type{
	NativeString:   {entity.String, entity.Text, entity.Decimal, entity.Integer},
	NativeInteger:  {entity.Integer, entity.Decimal, entity.Boolean, entity.String},
	NativeDecimal:  {entity.Decimal, entity.String},
	NativeFloat:    {entity.Decimal},
	NativeBoolean:  {entity.Boolean},
	NativeDate:     {entity.Date},
	NativeDatetime: {entity.Datetime},
	NativeInstant:  {entity.Datetime},
}

// Types lists the canonical types that a field over a discovered column can have, the best one first; none: no field can hold it.
func Types(native string) []entity.Type { return natives[Native(native)] }

// reserved are words that a query has of its own.
var reserved = []string{"limit", "cursor", "fields", "include", "modified_after", "created_after", "dry_run", "deleted",
	"id", "etag", "custom_fields", "remote_data"}

// checkDiscovered checks a field over a discovered column. Only as a custom field it may stand.
func (c *compiler) checkDiscovered(at place, name string, f *Field, e *Entity) {
	switch {
	case slices.Contains(reserved, name) || e.Fields[name] != nil || slices.ContainsFunc(entity.Envelope(), func(k *entity.Field) bool { return k.Name == name }):
		c.fault(at, "%q has a meaning already: give the field another name", name)
	case !ColumnName(f.Discovered):
		c.fault(at.to("discovered"), "%q is no name of a column", f.Discovered)
	case f.Value != "":
		c.fault(at.to("value"), "a field is `discovered` or a `value`, not both")
	case f.Type == entity.Object || f.Type == entity.List:
		c.fault(at.to("type"), "a column holds one value")
	}
	for _, op := range f.Write {
		if op == "create" && e.Operations.Create == nil || op == "update" && e.Operations.Update == nil {
			c.fault(at.to("write"), "the entity has no operation %s", op)
		}
	}
}

// widen extends an entity's statements by its discovered columns, and finds out what room there is for more. The entity that it
// gives is another one where anything had to change.
func (c *compiler) widen(at place, e *Entity) (*Entity, connectors.Statement, Room) {
	for _, name := range slices.Sorted(maps.Keys(e.CustomFields)) {
		if f := e.CustomFields[name]; f.Discovered != "" {
			c.checkDiscovered(at.to("custom_fields", name), name, f, e)
		}
	}
	if c.driver == nil {
		return e, nil, Room{}
	}
	w := widening{c: c, at: at, e: e}
	w.discover()
	w.columns()
	if len(w.extra) > 0 {
		return w.entity(), w.statement, w.room()
	}
	return e, w.statement, w.room()
}

// widening is the extension of one entity.
type widening struct {
	c         *compiler
	at        place
	e         *Entity
	driver    connectors.Extender
	statement connectors.Statement // of discover
	reason    string               // why there is no place
	x         connectors.Extension
	extra     []connectors.Extra
	write     map[string][]connectors.Extra // by operation
}

const noPlace = "the definition does not say where further columns of the entity are found"

// discover compiles what the definition says of discovery. What it says for all entities need not fit each of them.
func (w *widening) discover() {
	d := w.c.d
	all := maps.Clone(d.Discover)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, w.e.Discover)
	w.x = connectors.Extension{Dialect: d.Dialect, Protocol: d.Protocol, Discover: all}
	for _, key := range w.e.Key {
		w.x.Key = append(w.x.Key, key.Name)
	}
	var can bool
	if w.driver, can = w.c.driver.(connectors.Extender); !can {
		w.reason = "the driver " + w.c.driver.Name() + " finds no further columns"
		return
	}
	if d.Discover == nil && w.e.Discover == nil {
		w.reason = noPlace
		return
	}
	s, err := w.c.driver.Compile(d.Dialect, map[string]any{"discover": all})
	switch {
	case err == nil:
		w.statement = s
	case w.e.Discover != nil:
		w.c.fault(w.at.to("discover"), "%v", err)
		w.reason = err.Error()
	default:
		w.reason = noPlace
	}
}

func (w *widening) columns() {
	w.write = map[string][]connectors.Extra{}
	for _, name := range slices.Sorted(maps.Keys(w.e.CustomFields)) {
		f := w.e.CustomFields[name]
		if f.Discovered == "" {
			continue
		}
		one := connectors.Extra{Name: f.Discovered, Alias: f.From, Native: string(f.Native)}
		w.extra = append(w.extra, one)
		for _, op := range f.Write {
			w.write[op] = append(w.write[op], one)
		}
	}
}

// with is the extension by some columns.
func (w *widening) with(columns []connectors.Extra) connectors.Extension {
	x := w.x
	x.Columns = columns
	return x
}

func (w *widening) fault(err error, keys ...string) {
	w.c.fault(w.at.to(keys...), "%v", err)
}

// entity gives the entity with the columns in its statements.
func (w *widening) entity() *Entity {
	out := *w.e
	if w.reason != "" {
		w.c.fault(w.at.to("custom_fields"), "no discovered column can be mapped: %s", w.reason)
		return &out
	}
	if list := out.Operations.List; list != nil {
		own := *list
		step, compares := w.query(&list.Step, "operations", "list")
		own.Step = *step
		if !compares {
			own.Filters, own.Scan = w.scanned(list)
		}
		out.Operations.List = &own
	}
	if get := out.Operations.Get; get != nil {
		out.Operations.Get, _ = w.query(get, "operations", "get")
	}
	out.Operations.Create = w.operation("create", out.Operations.Create)
	out.Operations.Update = w.operation("update", out.Operations.Update)
	return &out
}

func (w *widening) query(step *Step, keys ...string) (*Step, bool) {
	native, compares, err := w.driver.ExtendQuery(w.with(w.extra), step.Native)
	if err != nil {
		w.fault(err, keys...)
		return step, true
	}
	own := *step
	own.Native = native
	return &own, compares
}

// scanned moves the filters on discovered columns to where the engine compares them itself.
func (w *widening) scanned(list *List) (filters, scan []string) {
	scan = slices.Clone(list.Scan)
	for _, name := range list.Filters {
		if f := w.e.CustomFields[name]; f != nil && f.Discovered != "" {
			scan = append(scan, name)
			continue
		}
		filters = append(filters, name)
	}
	return filters, scan
}

func (w *widening) operation(name string, op *Write) *Write {
	columns := w.write[name]
	if op == nil || len(columns) == 0 {
		return op
	}
	extended, after, err := w.driver.ExtendWrite(w.with(columns), natively(op))
	if err != nil {
		w.fault(err, "operations", name)
		return op
	}
	own := *op
	own.Steps = nil
	for i, step := range op.Steps {
		s := *step
		s.Native = extended[i]
		own.Steps = append(own.Steps, &s)
	}
	for i, native := range after {
		field := columns[i].Alias[len(aliasPrefix):]
		own.Steps = append(own.Steps, &Step{
			ID: "custom field " + field, Native: native, // the record is read back: a system that says "no change" of an equal value is believed
			When: "has(input.custom_fields) && input.custom_fields != null && has(input.custom_fields." + field + ")",
		})
	}
	return &own
}

func natively(op *Write) []map[string]any {
	out := make([]map[string]any, len(op.Steps))
	for i, step := range op.Steps {
		out[i] = step.Native
	}
	return out
}

// room tries with a column that nobody has.
func (w *widening) room() Room {
	if w.reason != "" {
		return Room{Reason: w.reason}
	}
	x := w.with([]connectors.Extra{{Name: "a", Alias: aliasPrefix + "a", Native: string(NativeString)}})
	for _, step := range w.e.reads() {
		if _, _, err := w.driver.ExtendQuery(x, step.Native); err != nil {
			return Room{Reason: err.Error()}
		}
	}
	room := Room{Readable: true}
	for name, op := range map[string]*Write{"create": w.e.Operations.Create, "update": w.e.Operations.Update} {
		if op == nil {
			continue
		}
		if _, _, err := w.driver.ExtendWrite(x, natively(op)); err != nil {
			room.Reason = err.Error()
			continue
		}
		room.Writable = append(room.Writable, name)
	}
	slices.Sort(room.Writable)
	return room
}

// reads are the steps that give records.
func (e *Entity) reads() []*Step {
	var out []*Step
	if e.Operations.List != nil {
		out = append(out, &e.Operations.List.Step)
	}
	if e.Operations.Get != nil {
		out = append(out, e.Operations.Get)
	}
	return out
}

// Used lists the columns of the list from which the definition's own fields come, the key and the version among them.
func (e *Entity) Used() []string {
	used := map[string]bool{}
	for _, key := range e.Key {
		used[key.Name] = true
	}
	if e.Version != nil {
		used[e.Version.Name] = true
	}
	useColumns(used, e.Fields)
	useColumns(used, e.CustomFields)
	return slices.Sorted(maps.Keys(used))
}

func useColumns(used map[string]bool, fields map[string]*Field) {
	for _, f := range fields {
		switch {
		case f.Discovered != "" || f.Type == entity.List:
		case f.Type == entity.Object:
			useColumns(used, f.Fields)
		case f.From != "":
			used[f.From] = true
		}
	}
}
