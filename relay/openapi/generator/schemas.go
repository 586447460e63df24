package generator

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemas makes JSON Schemas of Go types. A struct with a name becomes a component, to which everything else refers.
type schemas struct {
	comments   comments
	words      map[reflect.Type][]string // types that are one of a list of words
	names      map[string]reflect.Type   // of components
	components map[string]*jsonschema.Schema
	aliases    map[reflect.Type]string
}

// reference is a schema that refers to a component.
func reference(name string) *jsonschema.Schema {
	return &jsonschema.Schema{Ref: "#/components/schemas/" + name}
}

// anything is a schema that takes everything. It has a description, since generators of code know no boolean schemas.
func anything() *jsonschema.Schema { return &jsonschema.Schema{Description: "Any JSON."} }

// of gives the schema of a type; sent tells that callers send it.
func (s *schemas) of(t reflect.Type, sent bool) (*jsonschema.Schema, error) {
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return anything(), nil
	case isComponent(t):
		return s.component(t, sent)
	}
	known, err := s.known(t, sent)
	if err != nil {
		return nil, err
	}
	made, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: known})
	if err != nil {
		return nil, err
	}
	return tidy(made), nil
}

// isComponent reports whether a type is one of ours with members.
func isComponent(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.Name() != "" && strings.HasPrefix(t.PkgPath(), module)
}

// component gives a reference to the schema of a struct, which is made at its first use.
func (s *schemas) component(t reflect.Type, sent bool) (*jsonschema.Schema, error) {
	name := s.name(t)
	if have, ok := s.names[name]; ok {
		if have != t {
			return nil, fmt.Errorf("two types would be the component %s: %s and %s", name, have, t)
		}
		return reference(name), nil
	}
	s.names[name] = t
	known, err := s.known(t, sent)
	if err != nil {
		return nil, err
	}
	made, err := jsonschema.ForType(flat(t), &jsonschema.ForOptions{TypeSchemas: known})
	if err != nil {
		return nil, err
	}
	if !sent {
		made.AdditionalProperties = nil // answers grow; clients ignore what they do not know
	}
	if made.Description, err = s.comments.of(t, ""); err != nil {
		return nil, err
	}
	if strings.Contains(t.Name(), "[") {
		made.Description = "A page of a list."
	}
	if err := s.members(t, made); err != nil {
		return nil, err
	}
	s.components[name] = tidy(made)
	return reference(name), nil
}

// flat is a struct without a name and with the same members, those of embedded ones among them: so that a type that has
// itself as a member can refer to itself.
func flat(t reflect.Type) reflect.Type {
	var fields []reflect.StructField
	for _, field := range reflect.VisibleFields(t) {
		if field.IsExported() && !field.Anonymous {
			fields = append(fields, reflect.StructField{Name: field.Name, Type: field.Type, Tag: field.Tag})
		}
	}
	return reflect.StructOf(fields)
}

// known gives the schemas of the types that a type is made of; of embedded ones, those of their members.
func (s *schemas) known(t reflect.Type, sent bool) (map[reflect.Type]*jsonschema.Schema, error) {
	known := map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time]():       {Type: "string", Format: "date-time"},
		reflect.TypeFor[json.RawMessage](): anything(),
	}
	for word, values := range s.words {
		known[word] = &jsonschema.Schema{Type: "string", Enum: enum(values)}
	}
	var err error
	walk(t, func(part reflect.Type) {
		if err == nil && isComponent(part) {
			known[part], err = s.component(part, sent)
		}
	})
	return known, err
}

// walk visits the types that a type is made of, down to components.
func walk(t reflect.Type, visit func(reflect.Type)) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		if isComponent(t.Elem()) {
			visit(t.Elem())
		} else {
			walk(t.Elem(), visit)
		}
	case reflect.Struct:
		for _, field := range reflect.VisibleFields(t) {
			switch {
			case field.Anonymous || !field.IsExported():
			case isComponent(field.Type):
				visit(field.Type)
			default:
				walk(field.Type, visit)
			}
		}
	}
}

// members completes the members of a struct with what its fields say: comments, and the tag `openapi`, which is "object",
// or the words that the field can be, with | between them.
func (s *schemas) members(t reflect.Type, made *jsonschema.Schema) error {
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		member := made.Properties[name]
		if member == nil || field.Anonymous {
			continue
		}
		owner := t
		for _, at := range field.Index[:len(field.Index)-1] {
			owner = owner.Field(at).Type
		}
		said, err := s.comments.of(owner, field.Name)
		if err != nil {
			return err
		}
		if said == "" && member.Ref == "" {
			said = usual[name]
		}
		if said != "" {
			member.Description = said
		}
		switch tag := field.Tag.Get("openapi"); {
		case tag == "object":
			member.Type = "object"
		case tag != "":
			member.Enum = enum(strings.Split(tag, "|"))
		}
	}
	return nil
}

// tidy puts a schema of the library into the form that the document has: our lists are never null, and a member that may
// be null says its type first.
func tidy(s *jsonschema.Schema) *jsonschema.Schema {
	switch {
	case s.Ref != "" && len(s.Types) > 0: // a pointer to a component
		s = &jsonschema.Schema{Description: s.Description, AnyOf: []*jsonschema.Schema{{Ref: s.Ref}, {Type: "null"}}}
	case slices.Contains(s.Types, "array"):
		s.Type, s.Types = "array", nil
	case len(s.Types) == 2 && s.Types[0] == "null":
		slices.Reverse(s.Types)
		if s.Enum != nil {
			s.Enum = append(s.Enum, nil)
		}
	}
	for name, member := range s.Properties {
		s.Properties[name] = tidy(member)
	}
	if s.Items != nil {
		s.Items = tidy(s.Items)
	}
	if s.AdditionalProperties != nil {
		s.AdditionalProperties = tidy(s.AdditionalProperties)
	}
	return s
}

func enum(values []string) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}

// name is a type's name in the document: siteDocument is Site, list[siteDocument] is SiteList.
func (s *schemas) name(t reflect.Type) string {
	if alias := s.aliases[t]; alias != "" {
		return alias
	}
	name := t.Name()
	if outer, inner, generic := strings.Cut(strings.TrimSuffix(name, "]"), "["); generic {
		return componentWord(inner[strings.LastIndexByte(inner, '.')+1:]) + componentWord(outer)
	}
	return componentWord(name)
}

func componentWord(name string) string {
	name = strings.TrimSuffix(name, "Document")
	return string(unicode.ToUpper(rune(name[0]))) + name[1:]
}
