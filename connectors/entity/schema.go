package entity

import (
	_ "embed"
	"encoding/json"
)

// Published is the JSON Schema of all entities as it is published (schema.json). A test keeps it equal to Schema.
//
//go:embed schema.json
var Published []byte

// Schema generates the JSON Schema (draft 2020-12) of all entities: one definition each, under $defs.
func Schema() ([]byte, error) {
	defs := map[string]any{"status": statusSchema(nil)}
	for _, e := range catalogue {
		defs[e.Name] = e.schema()
	}
	doc := map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     "https://gantry.invalid/schemas/entities.json",
		"title":   "Gantry's canonical entities",
		"$defs":   defs,
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	return append(out, '\n'), err
}

// schema describes a record: the entity's own fields inside the envelope. Every member but the id may be missing, for
// a definition maps what its system knows.
func (e *Entity) schema() map[string]any {
	properties := members(append(append([]*Field{}, e.Fields...), envelope...))
	properties["id"] = map[string]any{"type": "string", "description": "The native key; parts of a composite one joined with ~."}
	properties["etag"] = map[string]any{"type": "string"}
	properties["custom_fields"] = map[string]any{"type": "object"}
	properties["remote_data"] = map[string]any{"type": "object"}
	properties["_actions"] = map[string]any{"type": "array", "items": map[string]any{"type": "string"}}
	properties["_warnings"] = map[string]any{"type": "array", "items": map[string]any{
		"type":       "object",
		"properties": map[string]any{"field": map[string]any{"type": "string"}, "code": map[string]any{"type": "string"}, "message": map[string]any{"type": "string"}},
	}}
	return map[string]any{"title": e.Title, "type": "object", "required": []string{"id"}, "properties": properties}
}

func members(fields []*Field) map[string]any {
	out := make(map[string]any, len(fields))
	for _, f := range fields {
		out[f.Name] = f.schema()
	}
	return out
}

func (f *Field) schema() map[string]any {
	switch f.Type {
	case Integer, Boolean:
		return nullable(string(f.Type))
	case Decimal:
		return with(nullable("string"), "pattern", `^-?[0-9]+(\.[0-9]+)?$`)
	case Datetime:
		return with(nullable("string"), "format", "date-time")
	case Date:
		return with(nullable("string"), "format", "date")
	case Ref:
		return with(nullable("string"), "x-ref", f.Ref)
	case Enum:
		return with(nullable("string"), "x-values", f.Values)
	case Status:
		return statusSchema(f.Values)
	case Object:
		return with(nullable("object"), "properties", members(f.Fields))
	case List:
		return with(nullable("array"), "items", map[string]any{"type": "object", "properties": members(f.Fields)})
	}
	return nullable("string")
}

func statusSchema(values []string) map[string]any {
	value := map[string]any{"type": "string"}
	if values != nil {
		value["enum"] = values
	}
	return with(nullable("object"), "properties", map[string]any{
		"value": value, "native_code": nullable("string"), "native_label": nullable("string"),
	})
}

func nullable(name string) map[string]any { return map[string]any{"type": []string{name, "null"}} }

func with(schema map[string]any, key string, value any) map[string]any {
	schema[key] = value
	return schema
}
