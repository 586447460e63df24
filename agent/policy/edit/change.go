package edit

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gantry/configs"
)

// Kind is what a change is about.
type Kind string

// The kinds of changes.
const (
	Target    Kind = "target"    // host:port pattern
	Path      Kind = "path"      // folder
	Writes    Kind = "writes"    // no value
	Overlays  Kind = "overlays"  // no value
	System    Kind = "system"    // id
	Entity    Kind = "entity"    // name
	Operation Kind = "operation" // list, purchase-orders:create, *:approve
	Field     Kind = "field"     // purchase-orders.price, *.tax_id

	Passthrough Kind = "passthrough" // GET /api/orders/*, of one connection
)

// Change allows or denies one thing, for all connections or in the rules of one.
type Change struct {
	Allow      bool
	Kind       Kind
	Value      string
	Connection string // name or id; empty: the rules of all
}

// OfConnection reports whether the change can be about one connection.
func (c Change) OfConnection() bool {
	return c.Kind != Target && c.Kind != Path && c.Kind != Writes && c.Kind != Overlays
}

// Invalid is a change that makes no sense.
type Invalid struct {
	What string // a sentence
	Fix  string // a sentence
}

// Error implements error.
func (e *Invalid) Error() string { return e.What + " " + e.Fix }

// check says what is wrong with the value, with the same words as a faulty file's.
func (c Change) check() error {
	if c.Connection != "" && !c.OfConnection() {
		return &Invalid{fmt.Sprintf("A %s holds for all connections.", c.Kind), "Leave --connection out."}
	}
	if c.Connection == "" && c.Kind == Passthrough {
		return &Invalid{"Native requests pass through one connection, never through all.", "Name it with --connection."}
	}
	parse, form := c.form()
	if err := parse(c.Value); err != nil {
		return &Invalid{fmt.Sprintf("%q %v.", c.Value, err), "Write it " + form + "."}
	}
	return nil
}

func (c Change) form() (parse func(string) error, form string) {
	switch c.Kind {
	case Target:
		return func(s string) error { _, err := configs.ParseTarget(s); return err }, "as db.plant.local:5432, '*.plant.local:1433' or '10.1.2.0/24:*'"
	case Path:
		return absolute, "whole, from the root"
	case Operation:
		return func(s string) error { _, err := configs.ParseOperation(s); return err }, "as list, purchase-orders:create or '*:approve'"
	case Field:
		return func(s string) error { _, err := configs.ParseField(s); return err }, "as purchase-orders.price or '*.tax_id'"
	case Passthrough:
		return func(s string) error { _, err := configs.ParsePassthrough(s); return err }, "as 'GET /api/orders/*' or 'READ model.party.party.search'"
	case Writes, Overlays:
		return func(string) error { return nil }, ""
	}
	return name, "as letters, digits and dashes, such as purchase-orders"
}

func absolute(s string) error {
	if !filepath.IsAbs(s) {
		return fmt.Errorf("is not an absolute path")
	}
	return nil
}

func name(s string) error {
	if o, err := configs.ParseOperation("x:" + s); err != nil || o.Name == "*" {
		return fmt.Errorf("is no name")
	}
	return nil
}

// plan gives the steps that make the change true; none where it is already.
func (c Change) plan(p configs.Policy) ([]step, []string, error) {
	switch c.Kind {
	case Target:
		return c.planList(p.Targets, "targets", coversTarget)
	case Path:
		c.Value = filepath.Clean(c.Value)
		return c.planList(p.Paths, "paths", coversPath)
	case Passthrough:
		return c.planPassthrough(p)
	case Writes, Overlays:
		if key := string(c.Kind); *switchOf(&p, key) != c.Allow {
			return []step{{key: key, set: true, on: c.Allow}}, nil, nil
		}
		return nil, nil, nil
	}
	return c.planRules(p)
}

// planList plans for a list of what is allowed, where nothing stands for nothing.
func (c Change) planList(list []string, key string, covers func(pattern, value string) bool) ([]step, []string, error) {
	has := slices.Contains(list, c.Value)
	switch {
	case c.Allow && has:
		return nil, nil, nil
	case c.Allow:
		return []step{c.step(key, true)}, nil, nil
	}
	rest := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == c.Value })
	for _, wider := range rest {
		if covers(wider, c.Value) {
			return nil, nil, &Invalid{fmt.Sprintf("%s is still allowed by %s.", c.Value, wider), fmt.Sprintf("Deny %s, and allow what is left of it.", wider)}
		}
	}
	if !has {
		return nil, nil, nil
	}
	return []step{c.step(key, false)}, nil, nil
}

// planPassthrough plans for the list of one connection.
func (c Change) planPassthrough(p configs.Policy) (steps []step, notes []string, err error) {
	pattern, _ := configs.ParsePassthrough(c.Value)
	steps, _, err = c.planList(p.Passthrough[c.Connection], "passthrough", coversPassthrough)
	if c.Allow && !p.Writes && !pattern.Reads() {
		notes = append(notes, writesOff)
	}
	return steps, notes, err
}

func coversTarget(pattern, value string) bool {
	wide, err := configs.ParseTarget(pattern)
	narrow, errNarrow := configs.ParseTarget(value)
	if err != nil || errNarrow != nil || wide.FirstPort > narrow.FirstPort || wide.LastPort < narrow.LastPort {
		return false
	}
	if narrow.Prefix.IsValid() {
		return wide.Contains(narrow.Prefix.Addr()) && wide.Prefix.Bits() <= narrow.Prefix.Bits()
	}
	return wide.Names(narrow.Host)
}

func coversPath(folder, value string) bool {
	relative, err := filepath.Rel(folder, value)
	return err == nil && filepath.IsLocal(relative)
}

func coversPassthrough(pattern, value string) bool {
	wide, err := configs.ParsePassthrough(pattern)
	verb, target, _ := strings.Cut(value, " ")
	return err == nil && wide.Covers(verb, target) && (strings.HasSuffix(pattern, "**") || !strings.HasSuffix(value, "**"))
}
