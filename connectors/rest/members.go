package rest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// members reads an object of a definition, and finds what nobody asked for.
type members struct {
	at   string
	left map[string]any
	err  error
}

// object begins to read one; what is no object is a fault.
func object(at string, v any) *members {
	m, ok := v.(map[string]any)
	out := &members{at: at, left: maps.Clone(m)}
	if !ok {
		out.fault("must be an object")
	}
	return out
}

func (m *members) fault(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("%s: "+format, append([]any{m.at}, args...)...)
	}
}

// take gives a member and strikes it out.
func (m *members) take(name string) (any, bool) {
	v, there := m.left[name]
	delete(m.left, name)
	return v, there
}

func (m *members) text(name string) string {
	v, there := m.take(name)
	s, ok := v.(string)
	if there && !ok {
		m.fault("%s must be a text", name)
	}
	return s
}

// oneOf is a text that is one of the words; empty: it is not there.
func (m *members) oneOf(name string, words ...string) string {
	s := m.text(name)
	if s != "" && !slices.Contains(words, s) {
		m.fault("%s must be one of %s", name, strings.Join(words, ", "))
	}
	return s
}

func (m *members) flag(name string) bool {
	v, there := m.take(name)
	b, ok := v.(bool)
	if there && !ok {
		m.fault("%s must be true or false", name)
	}
	return b
}

// number is a whole number; 0: it is not there.
func (m *members) number(name string) int {
	v, there := m.take(name)
	if !there {
		return 0
	}
	n, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil || n < 0 {
		m.fault("%s must be a whole number", name)
	}
	return n
}

func (m *members) numbers(name string) []int {
	v, there := m.take(name)
	list, ok := v.([]any)
	if there && !ok {
		m.fault("%s must be a list of whole numbers", name)
	}
	var out []int
	for _, item := range list {
		n, err := strconv.Atoi(fmt.Sprint(item))
		if err != nil {
			m.fault("%s must be a list of whole numbers", name)
		}
		out = append(out, n)
	}
	return out
}

func (m *members) texts(name string) []string {
	v, there := m.take(name)
	list, ok := v.([]any)
	if there && !ok {
		m.fault("%s must be a list of texts", name)
	}
	var out []string
	for _, item := range list {
		s, isText := item.(string)
		if !isText {
			m.fault("%s must be a list of texts", name)
		}
		out = append(out, s)
	}
	return out
}

// textMap is an object whose members are texts.
func (m *members) textMap(name string) map[string]string {
	v, there := m.take(name)
	if !there {
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		m.fault("%s must be an object of texts", name)
	}
	out := map[string]string{}
	for key, item := range object {
		s, isText := item.(string)
		if !isText {
			m.fault("%s: %s must be a text", name, key)
		}
		out[key] = s
	}
	return out
}

// done reports the first fault; a member that is left is one.
func (m *members) done() error {
	for _, name := range slices.Sorted(maps.Keys(m.left)) {
		m.fault("there is no member %q here", name)
	}
	return m.err
}
