package edit

import (
	"fmt"
	"slices"

	"gantry/configs"
)

// lists names the two lists of rules that a kind lives in; fields have only the second.
func (c Change) lists() (allow, deny string) {
	switch c.Kind {
	case System:
		return "systems", "deny_systems"
	case Entity:
		return "entities", "deny_entities"
	case Operation:
		return "operations", "deny_operations"
	}
	return "", "deny_fields"
}

// planRules plans for rules: an allow list, of which nothing stands for everything, and a deny list, which wins.
func (c Change) planRules(p configs.Policy) ([]step, []string, error) {
	rules := p.Rules
	if c.Connection != "" {
		rules = p.Connections[c.Connection]
	}
	allowKey, denyKey := c.lists()
	allowed, denied := listOf(&rules, allowKey), *listOf(&rules, denyKey)
	var only []string
	if allowed != nil {
		only = *allowed
	}
	if c.Allow {
		steps, err := c.planAllow(only, denied, allowKey, denyKey)
		return steps, c.notes(p), err
	}
	return c.planDeny(only, denied, allowKey, denyKey), nil, nil
}

// planAllow takes the value off the deny list, and puts it on the allow list where there is one.
func (c Change) planAllow(only, denied []string, allowKey, denyKey string) ([]step, error) {
	var steps []step
	for _, d := range denied {
		if d == c.Value {
			steps = append(steps, c.step(denyKey, false))
		} else if c.covers(d) {
			return nil, &Invalid{fmt.Sprintf("%s is denied by %s.", c.Value, d), fmt.Sprintf("Allow %s, and deny what is left of it.", d)}
		}
	}
	if len(only) > 0 && !slices.ContainsFunc(only, c.covers) {
		steps = append(steps, c.step(allowKey, true))
	}
	return steps, nil
}

// planDeny takes the value off the allow list where that is enough: an empty list would allow everything, so the last
// one stays there and goes on the deny list as well.
func (c Change) planDeny(only, denied []string, allowKey, denyKey string) []step {
	if slices.ContainsFunc(denied, c.covers) {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(only), func(s string) bool { return s == c.Value })
	var steps []step
	switch {
	case len(only) > 0 && len(rest) == len(only) && !slices.ContainsFunc(only, c.overlaps):
		return nil
	case len(rest) > 0 && len(rest) < len(only):
		steps = append(steps, c.step(allowKey, false))
		if !slices.ContainsFunc(rest, c.overlaps) {
			return steps
		}
	}
	return append(steps, c.step(denyKey, true))
}

func (c Change) step(key string, add bool) step {
	return step{connection: c.Connection, key: key, value: c.Value, add: add}
}

// covers reports whether an entry of a list holds for all of the change's value.
func (c Change) covers(entry string) bool {
	switch c.Kind {
	case Operation:
		wide, _ := configs.ParseOperation(entry)
		narrow, _ := configs.ParseOperation(c.Value)
		return wide.Covers(narrow.Entity, narrow.Name)
	case Field:
		wide, _ := configs.ParseField(entry)
		narrow, _ := configs.ParseField(c.Value)
		return wide.Covers(narrow.Entity, narrow.Path)
	}
	return entry == c.Value
}

// overlaps reports whether an entry holds for any of the change's value.
func (c Change) overlaps(entry string) bool {
	if c.Kind != Operation {
		return entry == c.Value
	}
	a, _ := configs.ParseOperation(entry)
	b, _ := configs.ParseOperation(c.Value)
	meets := func(x, y string) bool { return x == "*" || y == "*" || x == y }
	return meets(a.Entity, b.Entity) && meets(a.Name, b.Name)
}

const writesOff = "Writes are off all the same: gantry-agent policy allow writes"

// notes says what else stands in the way of what was just allowed.
func (c Change) notes(p configs.Policy) []string {
	var notes []string
	if o, err := configs.ParseOperation(c.Value); c.Kind == Operation && err == nil && !p.Writes && o.Name != "list" && o.Name != "get" {
		notes = append(notes, writesOff)
	}
	if c.Connection != "" {
		global := c
		global.Connection = ""
		if steps, _, err := global.planRules(p); err != nil || len(steps) > 0 {
			notes = append(notes, "The rules for all connections still refuse it: run the command again without --connection.")
		}
	}
	return notes
}

// listOf gives a list of rules by its key; nil for no key.
func listOf(r *configs.Rules, key string) *[]string {
	switch key {
	case "systems":
		return &r.Systems
	case "deny_systems":
		return &r.DenySystems
	case "entities":
		return &r.Entities
	case "deny_entities":
		return &r.DenyEntities
	case "operations":
		return &r.Operations
	case "deny_operations":
		return &r.DenyOperations
	case "deny_fields":
		return &r.DenyFields
	}
	return nil
}
