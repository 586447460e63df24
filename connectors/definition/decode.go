package definition

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Duration is a time.Duration written as "30s".
type Duration time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	*d = Duration(v)
	return err
}

// UnmarshalJSON implements json.Unmarshaler: a bare string is a column of text.
func (c *Column) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &c.Name) == nil {
		c.Type = NativeString
		return nil
	}
	type plain Column
	if err := json.Unmarshal(b, (*plain)(c)); err != nil {
		return err
	}
	if c.Type == "" {
		c.Type = NativeString
	}
	return nil
}

// Required says when a field must be there: `required: [create]`, or `required: true` in an action's input.
type Required []string

// UnmarshalJSON implements json.Unmarshaler.
func (r *Required) UnmarshalJSON(b []byte) error {
	var always bool
	if json.Unmarshal(b, &always) == nil {
		if always {
			*r = Required{"create", "update", "action"}
		}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(r))
}

// Codes maps native codes to canonical values.
type Codes map[string]string

// UnmarshalJSON implements json.Unmarshaler: `true` and `false` may be written bare, as YAML reads them.
func (c *Codes) UnmarshalJSON(b []byte) error {
	var loose map[string]any
	if err := json.Unmarshal(b, &loose); err != nil {
		return err
	}
	*c = make(Codes, len(loose))
	for code, value := range loose {
		(*c)[code] = fmt.Sprint(value)
	}
	return nil
}

// stepMembers are the members of a step that are the engine's own, and those of the objects that a step is part of.
type stepMembers struct {
	ID      string            `json:"id"`
	When    string            `json:"when"`
	ForEach string            `json:"for_each"`
	Affects *int64            `json:"affects"`
	Returns []string          `json:"returns"`
	Reads   bool              `json:"reads"`
	Expect  string            `json:"expect"`
	Now     Native            `json:"now"`
	Vars    map[string]string `json:"vars"`
}

var stepKeys = []string{"id", "when", "for_each", "affects", "returns", "reads", "expect", "now", "vars"}

// UnmarshalJSON implements json.Unmarshaler: what is not the engine's is the driver's.
func (s *Step) UnmarshalJSON(b []byte) error { return s.decode(b) }

func (s *Step) decode(b []byte, notNative ...string) error {
	var m stepMembers
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for _, key := range append(notNative, stepKeys...) {
		delete(all, key)
	}
	*s = Step{ID: m.ID, When: m.When, ForEach: m.ForEach, Affects: m.Affects, Returns: m.Returns, Reads: m.Reads, Expect: m.Expect, Now: m.Now, Vars: m.Vars, Native: all}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler: a list is a step with members of its own.
func (l *List) UnmarshalJSON(b []byte) error {
	var m struct {
		Keyset  []Column `json:"keyset"`
		Filters []string `json:"filters"`
		Scan    []string `json:"scan"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	l.Keyset, l.Filters, l.Scan = m.Keyset, m.Filters, m.Scan
	return l.Step.decode(b, "keyset", "filters", "scan")
}

// UnmarshalJSON implements json.Unmarshaler: a child is a step with members of its own.
func (c *Child) UnmarshalJSON(b []byte) error {
	var m struct {
		Parent string   `json:"parent"`
		Of     string   `json:"of"`
		Order  []Column `json:"order"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	c.Parent, c.Of, c.Order = m.Parent, m.Of, m.Order
	return c.Step.decode(b, "parent", "of", "order")
}

var writeKeys = []string{"class", "title", "tx", "idempotency", "inbox", "mode", "action", "from", "to", "leaves", "input", "vars", "read_back"}

// UnmarshalJSON implements json.Unmarshaler: a write without `tx` is itself its only step.
func (w *Write) UnmarshalJSON(b []byte) error {
	type plain Write
	if err := json.Unmarshal(b, (*plain)(w)); err != nil {
		return err
	}
	var only Step
	if err := only.decode(b, writeKeys...); err != nil {
		return err
	}
	if len(w.Steps) == 0 && len(only.Native) > 0 {
		only.Vars = nil // they are the operation's
		w.Steps = []*Step{&only}
	}
	if w.Class == "" {
		w.Class = Opaque
		if w.Inbox != nil {
			w.Class = Transactional
		}
	}
	return nil
}

// native is what a column of codes holds: whole numbers if all of them are.
func (c Codes) native() Native {
	for code := range c {
		if _, err := strconv.ParseInt(code, 10, 64); err != nil {
			return NativeString
		}
	}
	return NativeInteger
}

// Std gives the duration as package time's.
func (d Duration) Std() time.Duration { return time.Duration(d) }
