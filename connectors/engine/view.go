package engine

import (
	"slices"
	"strings"

	"gantry/connectors/entity"
)

// view is what one call shows of an entity: projected by the caller, and without what the plant's policy hides.
type view struct {
	columns       []*column
	custom        []*column
	children      []string // to fetch
	unknownTimes  []string // envelope times that nobody maps
	remote        bool
	whole         bool // no projection: _actions are shown
	permits       func(operation string) bool
	denied        []string
	hiddenMembers map[*column]bool // of objects and lists
	hiddenColumns map[string]bool  // native columns that remote_data leaves out
}

// newView makes a view; wanted is empty for all fields.
func (t *table) newView(wanted, hidden []string, remote bool, permits func(string) bool) *view {
	v := &view{remote: remote, whole: len(wanted) == 0, permits: permits, denied: hidden, hiddenMembers: map[*column]bool{}, hiddenColumns: map[string]bool{}}
	shows := func(c *column) bool {
		return !v.hidden(c) && (v.whole || slices.Contains(wanted, c.Name))
	}
	v.columns = slices.DeleteFunc(slices.Clone(t.columns), func(c *column) bool { return !shows(c) })
	v.custom = slices.DeleteFunc(slices.Clone(t.custom), func(c *column) bool {
		return v.hidden(c) || !v.whole && !slices.Contains(wanted, "custom_fields") && !slices.Contains(wanted, c.Name)
	})
	for _, c := range v.columns {
		if c.Type == entity.List && !slices.Contains(v.children, c.From) {
			v.children = append(v.children, c.From)
		}
	}
	if v.whole && t.bare != nil { // rules see also what the caller does not
		v.children = append(v.children, slices.DeleteFunc(slices.Clone(t.bare.children), func(name string) bool {
			return slices.Contains(v.children, name)
		})...)
	}
	for _, f := range entity.Envelope() {
		if findColumn(t.columns, f.Name) == nil && !slices.Contains(hidden, f.Name) && (v.whole || slices.Contains(wanted, f.Name)) {
			v.unknownTimes = append(v.unknownTimes, f.Name)
		}
	}
	v.hideColumns(t.columns)
	v.hideColumns(t.custom)
	for _, c := range slices.Concat(v.columns, v.custom) {
		v.hideMembers(c.members)
	}
	return v
}

// hidden reports whether the policy hides a field: by its path, or with the object or list around
// it; a custom field also by its bare name.
func (v *view) hidden(c *column) bool {
	for _, name := range v.denied {
		if c.path == name || strings.HasPrefix(c.path, name+".") || c.path == customPath+name {
			return true
		}
	}
	return false
}

// hideMembers judges the members once for all records.
func (v *view) hideMembers(members []*column) {
	for _, m := range members {
		if len(v.denied) > 0 && v.hidden(m) {
			v.hiddenMembers[m] = true
		}
		v.hideMembers(m.members)
	}
}

func (v *view) hideColumns(columns []*column) {
	for _, c := range columns {
		if v.hidden(c) && c.From != "" {
			v.hiddenColumns[c.From] = true
		}
		if c.Type != entity.List {
			v.hideColumns(c.members)
		}
	}
}
