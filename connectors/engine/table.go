package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/entity"
)

// table is an entity prepared for one connection: its columns know their zone and their codes' JSON.
type table struct {
	*definition.Table
	columns  []*column // as records show them; the envelope's last
	custom   []*column
	status   *column                        // nil: the entity has none
	inputs   map[string][]*column           // of actions
	writes   []string                       // what acts on a record
	byStatus map[string][]*definition.Guard // by operation: rules that look at nothing but the status
	byRecord map[string][]*definition.Guard // rules that look at the whole record
	bare     *view                          // the record as rules see it
	verdicts sync.Map                       // operation and native status → bool: what byStatus said
}

// column is one field, ready to be encoded.
type column struct {
	*definition.Member
	path    string // "lines.price"
	param   string // the statement parameter: "ship_to_city"
	key     []byte // `"number":`
	zone    *time.Location
	layout  string
	codes   map[string]code // by native code
	members []*column
}

// code is what a native code stands for.
type code struct {
	value string
	json  []byte // as the record shows it
}

// customPath is in front of the paths of custom fields.
const customPath = "custom_fields."

func newTable(ctx context.Context, t *definition.Table, settings map[string]any) (*table, error) {
	build := columnBuilder{ctx: ctx, scope: definition.Scope{"login": settings}}
	out := &table{Table: t, columns: build.columns(t.Members, "", ""), custom: build.columns(t.Custom, customPath, "")}
	out.columns = append(out.columns, build.columns(t.Envelope, "", "")...)
	out.status = findColumn(out.columns, "status")
	out.inputs = map[string][]*column{}
	for name, p := range t.Actions {
		out.inputs[name] = build.columns(p.Input, "", "")
	}
	out.prepareRules()
	return out, build.err
}

// prepareRules finds out what rules need, so that no record is read for more than that.
func (t *table) prepareRules() {
	t.writes = t.recordWrites()
	t.byStatus, t.byRecord = map[string][]*definition.Guard{}, map[string][]*definition.Guard{}
	for _, op := range t.writes {
		for _, g := range t.guards(op) {
			switch {
			case g.NeedsInput: // cannot be judged in advance
			case g.ByStatus && t.status != nil:
				t.byStatus[op] = append(t.byStatus[op], g)
			default:
				t.byRecord[op] = append(t.byRecord[op], g)
			}
		}
	}
	t.bare = t.newView(nil, nil, false, nil)
	t.bare.whole, t.bare.children = false, t.ruleChildren()
}

type columnBuilder struct {
	ctx   context.Context
	scope definition.Scope
	err   error
}

func (b *columnBuilder) columns(members []*definition.Member, path, param string) []*column {
	out := make([]*column, len(members))
	for i, m := range members {
		out[i] = b.column(m, path, param)
	}
	return out
}

func (b *columnBuilder) column(m *definition.Member, path, param string) *column {
	c := &column{Member: m, path: path + m.Name, param: param + m.Name, key: append(appendString(nil, m.Name), ':'), zone: time.UTC, layout: m.Layout}
	if m.Discovered != "" {
		c.param = m.From // its alias, which no other parameter has
	}
	if c.layout == "" {
		c.layout = time.DateTime
		if m.Native == definition.NativeTextDate {
			c.layout = time.DateOnly
		}
	}
	if m.Zone != nil {
		b.zone(c)
	}
	if m.Enum != nil {
		c.codes = make(map[string]code, len(m.Enum))
		for native, value := range m.Enum {
			c.codes[native] = code{value, c.encodeCode(value, native)}
		}
	}
	inner := c.param + "_"
	if m.Type == entity.List {
		inner = "" // the members are bound by their own names, once for each of them
	}
	c.members = b.columns(m.Members, c.path+".", inner)
	return c
}

func (b *columnBuilder) zone(c *column) {
	name, err := c.Zone.Value(b.ctx, b.scope)
	if err == nil && name != nil && name != "" {
		c.zone, err = time.LoadLocation(fmt.Sprint(name))
	}
	if err != nil {
		b.err = invalidLogin(c.path, err)
		c.zone = time.UTC
	}
}

// encodeCode renders a mapped code once and for all.
func (c *column) encodeCode(value, native string) []byte {
	switch c.Type {
	case entity.Boolean:
		return []byte(value)
	case entity.Status:
		return appendStatus(nil, value, native, c.Labels[native])
	}
	return appendString(nil, value)
}

// natives lists the native codes that stand for a canonical value, the smallest first: the first is the one to write.
func (c *column) natives(value string) []string {
	var out []string
	for native, canonical := range c.Enum {
		if canonical == value {
			out = append(out, native)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		i, errA := strconv.Atoi(a)
		j, errB := strconv.Atoi(b)
		if errA == nil && errB == nil {
			return i - j
		}
		if a < b {
			return -1
		}
		return 1
	})
	return out
}

func findColumn(columns []*column, name string) *column {
	for _, c := range columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// field finds a field that can be filtered or shown: the entity's own, or a custom one.
func (t *table) field(name string) *column {
	if c := findColumn(t.columns, name); c != nil {
		return c
	}
	return findColumn(t.custom, name)
}

// statusOf gives the canonical status of a row; "" where the entity has none.
func (t *table) statusOf(row connectors.Row) string {
	if t.status == nil {
		return ""
	}
	native := row[t.status.From]
	if native == nil {
		return ""
	}
	if known, ok := t.status.codes[text(native)]; ok {
		return known.value
	}
	return entity.Other
}

// zone is the entity's wall clock: that of its first time field that names one, else UTC.
func (t *table) zone() *time.Location {
	for _, c := range t.columns {
		if c.Zone != nil {
			return c.zone
		}
	}
	return time.UTC
}
