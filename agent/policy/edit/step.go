package edit

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"gantry/configs"
)

// step is one edit: a value put on or taken off a list of the policy, or a switch.
type step struct {
	connection string // whose rules; empty: those of all
	key        string
	value      string
	add        bool // or take off
	set, on    bool // key is a switch, and this is its new position
}

// String says what was done, for people.
func (s step) String() string {
	path := strings.Join(s.path(), ".")
	switch {
	case s.set:
		return fmt.Sprintf("%s is now %t", path, s.on)
	case s.add:
		return fmt.Sprintf("%s: added %s", path, s.value)
	}
	return fmt.Sprintf("%s: removed %s", path, s.value)
}

// path gives the keys that lead to the value.
func (s step) path() []string {
	switch {
	case s.key == "passthrough":
		return []string{"policy", s.key, s.connection}
	case s.connection != "":
		return []string{"policy", "connections", s.connection, s.key}
	}
	return []string{"policy", s.key}
}

// edit carries the step out on the text.
func (s step) edit(data []byte) ([]byte, error) {
	t, err := parseText(data)
	if err != nil {
		return nil, err
	}
	switch {
	case s.set:
		err = t.setScalar(s.path(), fmt.Sprint(s.on))
	case s.add:
		err = t.addMember(s.path(), s.value)
	default:
		err = t.removeMember(s.path(), s.value)
	}
	return t.bytes(), err
}

// apply carries the step out on the values: what the text must mean afterwards.
func (s step) apply(p *configs.Policy) {
	if s.set {
		*switchOf(p, s.key) = s.on
		return
	}
	switch s.key {
	case "targets":
		s.change(&p.Targets)
	case "paths":
		s.change(&p.Paths)
	case "passthrough":
		p.Passthrough = maps.Clone(p.Passthrough)
		if p.Passthrough == nil {
			p.Passthrough = map[string][]string{}
		}
		list := p.Passthrough[s.connection]
		s.change(&list)
		p.Passthrough[s.connection] = list
	default:
		s.applyRules(p)
	}
}

// switchOf gives a switch of the policy by its key.
func switchOf(p *configs.Policy, key string) *bool {
	if key == "overlays" {
		return &p.Overlays
	}
	return &p.Writes
}

func (s step) applyRules(p *configs.Policy) {
	if s.connection == "" {
		s.change(listOf(&p.Rules, s.key))
		return
	}
	if p.Connections == nil {
		p.Connections = map[string]configs.Rules{}
	}
	rules := p.Connections[s.connection]
	s.change(listOf(&rules, s.key))
	p.Connections[s.connection] = rules
}

func (s step) change(list *[]string) {
	if s.add {
		*list = append(slices.Clone(*list), s.value)
		return
	}
	*list = slices.DeleteFunc(slices.Clone(*list), func(v string) bool { return v == s.value })
}

// same compares two configurations as they would be written: an empty list is no list.
func same(a, b configs.Agent) bool {
	left, errLeft := yaml.Marshal(a)
	right, errRight := yaml.Marshal(b)
	return errLeft == nil && errRight == nil && bytes.Equal(left, right)
}
