package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gantry/configs"
	"gantry/tunnel/fault"
)

// native is the member of a record that holds what the system itself said. It knows every field under another name,
// so it is denied as soon as any field of the entity is.
const native = "remote_data"

// Field reports whether a request may name a field of an entity, in its body, a filter, or `fields`; path has dots
// between levels: lines.price. The error is POLICY_DENIED of scope operation.
func (p *Policy) Field(c Connection, entity, path string) error {
	for _, r := range p.of(c) {
		if f := r.field(entity, path); f != nil {
			f.ConnectionID = c.ID
			return f
		}
	}
	return nil
}

func (r *rules) field(entity, path string) *fault.Error {
	for _, denial := range r.denyFields {
		hidden := path == native && (denial.Entity == "*" || denial.Entity == entity)
		if hidden || denial.Covers(entity, path) {
			pattern := denial.Entity + "." + denial.Path
			return denied(fault.ScopeOperation, "allow field "+word(pattern)+r.flag(),
				"The plant's policy keeps the field %s of %s to itself%s.", path, entity, r.whose()).
				Member(path, "POLICY_DENIED", "The plant's policy neither shows nor takes this field.")
		}
	}
	return nil
}

// Fields are the denied fields of one entity, ready to be taken out of many records. The zero value takes out nothing.
type Fields struct{ paths [][]string }

// Fields gives what must be taken out of records of an entity before they leave the plant.
func (p *Policy) Fields(c Connection, entity string) Fields {
	var f Fields
	for _, r := range p.of(c) {
		for _, denial := range r.denyFields {
			if denial.Entity == "*" || denial.Entity == entity {
				f.paths = append(f.paths, strings.Split(denial.Path, "."))
			}
		}
	}
	if len(f.paths) > 0 {
		f.paths = append(f.paths, []string{native})
	}
	return f
}

// Paths lists the denied fields with dots between levels, for whoever leaves them out of the records that it makes:
// engine.Query.Hidden.
func (f Fields) Paths() []string {
	paths := make([]string, len(f.paths))
	for i, path := range f.paths {
		paths[i] = strings.Join(path, ".")
	}
	return paths
}

// frame are the members of a record that belong to no field of its entity: who makes records from fields alone does not
// leave them out.
var frame = []string{"id", "etag", "custom_fields", "_actions", "_warnings"}

// Frame gives those of the denied fields that only Redact takes out. Nearly always there is none.
func (f Fields) Frame() Fields {
	var out Fields
	for _, path := range f.paths {
		if len(path) == 1 && slices.Contains(frame, path[0]) {
			out.paths = append(out.paths, path)
		}
	}
	return out
}

// errNoRecord is the answer for what is no JSON object.
var errNoRecord = errors.New("redact record: it is no JSON object")

// None reports whether there is nothing to take out.
func (f Fields) None() bool { return len(f.paths) == 0 }

// Redact takes the denied fields out of a record, a JSON object, also out of the members of its lists. Other values stay
// byte for byte; members may change their order. An error means that the record is no JSON object, and must not leave.
func (f Fields) Redact(record []byte) ([]byte, error) {
	if f.None() {
		return record, nil
	}
	if first(record) != '{' {
		return nil, errNoRecord
	}
	return redact(record, f.paths)
}

// redact removes the paths from an object or from each object of a list. Other values have nothing to take out.
func redact(value []byte, paths [][]string) ([]byte, error) {
	switch first(value) {
	case '[':
		var members []json.RawMessage
		if err := json.Unmarshal(value, &members); err != nil {
			return nil, fmt.Errorf("redact record: %w", err)
		}
		for i := range members {
			var err error
			if members[i], err = redact(members[i], paths); err != nil {
				return nil, err
			}
		}
		return encode(members)
	case '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(value, &members); err != nil {
			return nil, fmt.Errorf("redact record: %w", err)
		}
		if err := prune(members, paths); err != nil {
			return nil, err
		}
		return encode(members)
	}
	return value, nil
}

// prune deletes the members that a path ends at, and follows the others inward.
func prune(members map[string]json.RawMessage, paths [][]string) error {
	inner := map[string][][]string{}
	for _, path := range paths {
		if len(path) == 1 {
			delete(members, path[0])
			continue
		}
		inner[path[0]] = append(inner[path[0]], path[1:])
	}
	for name, rest := range inner {
		value, ok := members[name]
		if !ok {
			continue
		}
		cut, err := redact(value, rest)
		if err != nil {
			return err
		}
		members[name] = cut
	}
	return nil
}

func first(value []byte) byte {
	if trimmed := bytes.TrimLeft(value, " \t\r\n"); len(trimmed) > 0 {
		return trimmed[0]
	}
	return 0
}

// encode writes JSON without the escaping for web pages, which would change the values' bytes.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("redact record: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// denies reports whether any of the patterns covers the field.
func denies(all []rules, entity, path string) bool {
	return slices.ContainsFunc(all, func(r rules) bool {
		return slices.ContainsFunc(r.denyFields, func(d configs.DeniedField) bool { return d.Covers(entity, path) })
	})
}
