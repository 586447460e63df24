package reference

import (
	"fmt"
	"slices"
	"strings"
)

// field is a row of a table of members.
type field struct {
	Name     string
	Type     string
	Required bool
	Text     string
	Words    []string // that it can be
	Bounds   string
	Members  []field
}

// deepest is how many levels of members a table shows.
const deepest = 5

// fields lists the members of a schema.
func (d *document) fields(s *schema) []field { return d.membersOf(s, nil) }

func (d *document) membersOf(s *schema, within []string) (all []field) {
	s, name := d.whole(s)
	if s == nil || len(within) == deepest || name != "" && slices.Contains(within, name) {
		return nil
	}
	within = append(slices.Clone(within), name)
	switch {
	case s.Items != nil:
		return d.membersOf(s.Items, within)
	case len(s.Properties) == 0 && s.Additional != nil:
		return d.membersOf(s.Additional, within)
	}
	for _, p := range s.Properties {
		f := d.field(p.Name, p.Schema)
		f.Required = slices.Contains(s.Required, p.Name)
		f.Members = d.membersOf(p.Schema, within)
		all = append(all, f)
	}
	return all
}

func (d *document) field(name string, s *schema) field {
	full, _ := d.whole(s)
	f := field{Name: name, Type: d.kind(s), Text: s.Description, Bounds: bounds(full)}
	if f.Text == "" && full != nil {
		f.Text = full.Description
	}
	for _, word := range full.Enum {
		if word != nil {
			f.Words = append(f.Words, fmt.Sprint(word))
		}
	}
	return f
}

// whole follows references, and those that may be null; name is the component's.
func (d *document) whole(s *schema) (full *schema, name string) {
	for s != nil {
		switch {
		case s.Ref != "":
			name = last(s.Ref)
			s = d.Components.Schemas[name]
		case len(s.AnyOf) == 2 && slices.Contains(s.AnyOf[1].Type, "null"):
			s = s.AnyOf[0]
		case len(s.OneOf) > 0:
			s = s.OneOf[0]
		default:
			return s, name
		}
	}
	return &schema{}, name
}

// kind says what a schema is, in a few words.
func (d *document) kind(s *schema) string {
	full, name := d.whole(s)
	kind, null := "any", len(s.AnyOf) == 2
	for _, k := range full.Type {
		if k == "null" {
			null = true
		} else {
			kind = k
		}
	}
	switch {
	case full.Items != nil:
		kind = "list of " + d.kind(full.Items)
	case kind == "object" && len(full.Properties) == 0 && full.Additional != nil && (full.Additional.Ref != "" || len(full.Additional.Type) > 0):
		kind = "map of " + d.kind(full.Additional)
	case name != "":
		kind = name
	case full.Format == "date-time":
		kind = "time"
	case full.Format != "" && full.Format != "binary":
		kind = full.Format
	}
	if null {
		kind += " or null"
	}
	return kind
}

func bounds(s *schema) string {
	var all []string
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		all = append(all, fmt.Sprintf("%g to %g", *s.Minimum, *s.Maximum))
	case s.MaxLength != nil:
		all = append(all, fmt.Sprintf("up to %d characters", *s.MaxLength))
	}
	if s.Default != nil {
		all = append(all, fmt.Sprintf("default %v", s.Default))
	}
	return strings.Join(all, ", ")
}
