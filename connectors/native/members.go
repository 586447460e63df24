// Package native reads the members of a definition that are a driver's own: an object of YAML, member by member, of which nothing may be left that
// nobody asked for. Every driver whose steps have more than one member reads them so, and its faults read alike.
//
// The package knows no driver; it never looks beyond the object that it was given.
package native

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Members reads an object of a definition, and finds what nobody asked for.
type Members struct {
	at   string
	left map[string]any
	err  error
}

// Object begins to read one; what is no object is a fault.
func Object(at string, v any) *Members {
	m, ok := v.(map[string]any)
	out := &Members{at: at, left: maps.Clone(m)}
	if !ok {
		out.Fault("must be an object")
	}
	return out
}

// Fault notes what is wrong; the first counts.
func (m *Members) Fault(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("%s: "+format, append([]any{m.at}, args...)...)
	}
}

// Has tells whether a member is there that was not taken yet.
func (m *Members) Has(name string) bool {
	_, there := m.left[name]
	return there
}

// Names are the members that were not taken yet, sorted.
func (m *Members) Names() []string { return slices.Sorted(maps.Keys(m.left)) }

// Err is the first fault until now.
func (m *Members) Err() error { return m.err }

// Take gives a member and strikes it out.
func (m *Members) Take(name string) (any, bool) {
	v, there := m.left[name]
	delete(m.left, name)
	return v, there
}

// Text is a text; empty: it is not there.
func (m *Members) Text(name string) string {
	v, there := m.Take(name)
	s, ok := v.(string)
	if there && !ok {
		m.Fault("%s must be a text", name)
	}
	return s
}

// OneOf is a text that is one of the words; empty: it is not there.
func (m *Members) OneOf(name string, words ...string) string {
	s := m.Text(name)
	if s != "" && !slices.Contains(words, s) {
		m.Fault("%s must be one of %s", name, strings.Join(words, ", "))
	}
	return s
}

// Flag is true or false.
func (m *Members) Flag(name string) bool {
	v, there := m.Take(name)
	b, ok := v.(bool)
	if there && !ok {
		m.Fault("%s must be true or false", name)
	}
	return b
}

// Number is a whole number; 0: it is not there.
func (m *Members) Number(name string) int {
	v, there := m.Take(name)
	if !there {
		return 0
	}
	n, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil || n < 0 {
		m.Fault("%s must be a whole number", name)
	}
	return n
}

// Numbers is a list of whole numbers.
func (m *Members) Numbers(name string) []int {
	v, there := m.Take(name)
	list, ok := v.([]any)
	if there && !ok {
		m.Fault("%s must be a list of whole numbers", name)
	}
	var out []int
	for _, item := range list {
		n, err := strconv.Atoi(fmt.Sprint(item))
		if err != nil {
			m.Fault("%s must be a list of whole numbers", name)
		}
		out = append(out, n)
	}
	return out
}

// Texts is a list of texts.
func (m *Members) Texts(name string) []string {
	v, there := m.Take(name)
	list, ok := v.([]any)
	if there && !ok {
		m.Fault("%s must be a list of texts", name)
	}
	var out []string
	for _, item := range list {
		s, isText := item.(string)
		if !isText {
			m.Fault("%s must be a list of texts", name)
		}
		out = append(out, s)
	}
	return out
}

// Holds makes sure that a text that is there has each of the marks once.
func (m *Members) Holds(name, text string, marks ...string) {
	for _, mark := range marks {
		if text != "" && strings.Count(text, mark) != 1 {
			m.Fault("%s has %s, each once", name, strings.Join(marks, ", "))
		}
	}
}

// TextMap is an object whose members are texts.
func (m *Members) TextMap(name string) map[string]string {
	v, there := m.Take(name)
	if !there {
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		m.Fault("%s must be an object of texts", name)
	}
	out := map[string]string{}
	for key, item := range object {
		s, isText := item.(string)
		if !isText {
			m.Fault("%s: %s must be a text", name, key)
		}
		out[key] = s
	}
	return out
}

// Done reports the first fault; a member that is left is one.
func (m *Members) Done() error {
	for _, name := range m.Names() {
		m.Fault("there is no member %q here", name)
	}
	return m.err
}
