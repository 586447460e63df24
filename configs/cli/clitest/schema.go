package clitest

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// schemaOf describes the JSON of a Go value (draft 2020-12), by its type. A published schema is open, as members may be
// added; a closed one, against which tests validate, forbids any member that it does not name.
func schemaOf(title string, document any, closed bool) map[string]any {
	s := map[string]any{}
	if either, ok := document.(Either); ok {
		var all []any
		for _, one := range either {
			all = append(all, describer{closed}.describe(reflect.TypeOf(one)))
		}
		s["anyOf"] = all
	} else {
		s = describer{closed}.describe(reflect.TypeOf(document))
	}
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = title
	return s
}

type describer struct{ closed bool }

func (d describer) describe(t reflect.Type) map[string]any {
	switch {
	case t == nil, t == reflect.TypeFor[json.RawMessage]():
		return map[string]any{}
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.describe(t.Elem())
	case reflect.Struct:
		return d.object(t)
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"type": "string", "contentEncoding": "base64"}
		}
		return map[string]any{"type": "array", "items": d.describe(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": d.describe(t.Elem())}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Interface:
		return map[string]any{}
	}
	return map[string]any{"type": "integer"}
}

// object describes a struct: its members, and those of its embedded structs.
func (d describer) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for field := range fieldsOf(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		properties[name] = d.describe(field.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	s := map[string]any{"type": "object", "properties": properties, "required": required}
	if d.closed {
		s["additionalProperties"] = false
	}
	return s
}

// fieldsOf gives the members that encoding/json writes under a name of their own.
func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for _, field := range reflect.VisibleFields(t) {
			tag := field.Tag.Get("json")
			if !field.IsExported() || field.Anonymous && tag == "" || tag == "-" {
				continue
			}
			if name, rest, _ := strings.Cut(tag, ","); name == "" {
				field.Tag = reflect.StructTag(`json:"` + field.Name + "," + rest + `"`)
			}
			if !yield(field) {
				return
			}
		}
	}
}

// encode writes a schema as it is published.
func encode(schema map[string]any) []byte {
	out, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // maps, strings and lists
	}
	return append(out, '\n')
}
