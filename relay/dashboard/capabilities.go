package dashboard

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"gantry/tunnel/fault"
)

// capabilitiesPage is who may do what: entities and operations at a glance, and one entity field by field.
type capabilitiesPage struct {
	Connection headed
	Problem    *fault.Error // why it cannot be told now; nil: it can
	Can        capabilities
	Columns    []string
	Rows       []ableRow
	Entity     string
	Reasons    []reason // every no about the entity
	Actions    []able   // of the entity
	Fields     []fieldRow
	Rules      []string
}

// able is one operation, with its name.
type able struct {
	verdict
	Name string
}

// Tone colours a verdict. What the system does not have is no fault of anybody.
func (v verdict) Tone() string {
	switch {
	case v.Allowed:
		return good
	case v.DeniedBy == "definition" || v.DeniedBy == "":
		return quiet
	case v.DeniedBy == "policy":
		return fair
	}
	return bad
}

// Word says it in a word or two, and Sign in one sign.
func (v verdict) Word() string {
	switch {
	case v.Allowed:
		return "yes"
	case v.DeniedBy == "policy":
		return "policy"
	case v.DeniedBy == "probe":
		return "no right"
	}
	return "none"
}

// Sign is for those who do not see the colour.
func (v verdict) Sign() string {
	return map[string]string{good: "✓", fair: "⊘", bad: "✕", quiet: "–"}[v.Tone()]
}

type ableRow struct {
	Entity, Path string
	Here         bool
	Cells        []able
	Actions      int // that are allowed
	AllActions   int
}

// reason is a no, with those that have it.
type reason struct {
	verdict
	Names []string
}

// fieldRow is one field, those of an object or a list behind it.
type fieldRow struct {
	Name  string
	Depth int
	fieldCapability
}

// Writes and Needs tell what may and must be sent.
func (f fieldRow) Writes(operation string) bool { return slices.Contains(f.Writable, operation) }

// Needs tells whether the field must be sent.
func (f fieldRow) Needs(operation string) bool { return slices.Contains(f.Required, operation) }

func (v *visit) capabilitiesPage() error {
	p := capabilitiesPage{Columns: operations}
	var err error
	if p.Connection, err = v.head("capabilities"); err != nil {
		return err
	}
	can, err := v.capabilities(p.Connection.ID)
	if p.Problem, err = told(err); err != nil {
		return err
	}
	p.Can, p.Entity = can, can.entity(v.r.URL.Query().Get("entity"))
	for _, c := range can.choices(v, p.Entity) {
		p.Rows = append(p.Rows, can.Entities[c.Name].row(c))
	}
	p.detail(can.Entities[p.Entity])
	v.show(http.StatusOK, "capabilities", p.Connection.Name+": capabilities", p)
	return nil
}

func (c entityCapabilities) row(about choice) ableRow {
	row := ableRow{Entity: about.Name, Path: about.Path + "#entity", Here: about.Here, AllActions: len(c.Actions)}
	for _, name := range operations {
		row.Cells = append(row.Cells, able{c.Operations[name], name})
	}
	for _, a := range c.Actions {
		if a.Allowed {
			row.Actions++
		}
	}
	return row
}

// detail tells of one entity.
func (p *capabilitiesPage) detail(c entityCapabilities) {
	for _, name := range slices.Sorted(maps.Keys(c.Actions)) {
		p.Actions = append(p.Actions, able{c.Actions[name], name})
	}
	for _, name := range operations {
		p.because(able{c.Operations[name], name})
	}
	for _, a := range p.Actions {
		p.because(a)
	}
	p.Fields = rows(c.Fields, "", 0)
	for _, rule := range c.Rules {
		p.Rules = append(p.Rules, strings.Join(rule.On, ", ")+": "+rule.Message)
	}
}

// because notes a no, once for all that have it alike.
func (p *capabilitiesPage) because(a able) {
	if a.Allowed || a.DeniedBy == "" {
		return
	}
	same := func(r reason) bool { return r.DeniedBy == a.DeniedBy && r.Reason == a.Reason && r.Advice == a.Advice }
	if at := slices.IndexFunc(p.Reasons, same); at >= 0 {
		p.Reasons[at].Names = append(p.Reasons[at].Names, a.Name)
		return
	}
	p.Reasons = append(p.Reasons, reason{a.verdict, []string{a.Name}})
}

// Command is what the plant would run to allow it; "": nothing helps.
func (r reason) Command() string {
	if _, command, found := strings.Cut(r.Advice, "gantry-agent "); found {
		return "gantry-agent " + command
	}
	return ""
}

// rows flattens fields, those of objects and lists behind theirs.
func rows(fields map[string]fieldCapability, before string, depth int) (all []fieldRow) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		f := fields[name]
		all = append(all, fieldRow{before + name, depth, f})
		all = append(all, rows(f.Fields, before+name+".", depth+1)...)
	}
	return all
}
