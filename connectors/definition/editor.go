package definition

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// EditorSchema is the JSON Schema for one file as an author writes it: a layer, so that nothing is required that another
// layer may give, and with the names of canonical entities and fields, error codes and drivers for completion.
func EditorSchema(drivers, layers []string) ([]byte, error) {
	var root map[string]any
	if err := json.Unmarshal(Schema, &root); err != nil {
		return nil, fmt.Errorf("read the schema of definitions: %w", err)
	}
	root["title"] = "Gantry connector definition, connector/v1"
	root["$id"] = "https://gantry.invalid/schemas/definition-file.json"
	relax(root)
	root["required"] = []string{"metadata"}

	top := members(root, "properties")
	top["driver"] = map[string]any{"enum": drivers}
	members(top, "metadata", "properties")["extends"] = map[string]any{"type": "array", "items": map[string]any{"type": "string", "examples": layers}}
	members(top, "errors", "items", "properties")["code"] = map[string]any{"enum": codes()}
	members(root, "$defs", "entity", "properties", "rules", "items", "properties")["deny"] = map[string]any{"enum": codes()}

	entities := map[string]any{}
	for _, e := range entity.Catalogue() {
		entities[e.Name] = entitySchema(e)
	}
	members(top, "entities")["properties"] = entities
	return json.MarshalIndent(root, "", "  ")
}

func codes() []fault.Code {
	var out []fault.Code
	for _, spec := range fault.Specs() {
		out = append(out, spec.Code)
	}
	return out
}

// relax takes away what a merged definition must have and a layer need not (a column's name stays: it tells its two forms
// apart), and lets every member be null, as one is whose lines are all still comments.
func relax(v any) {
	switch v := v.(type) {
	case map[string]any:
		if required, ok := v["required"].([]any); ok && !slices.Contains(required, any("column")) {
			delete(v, "required")
		}
		if kind, ok := v["type"].(string); ok {
			v["type"] = []string{kind, "null"}
		}
		for _, member := range v {
			relax(member)
		}
	case []any:
		for _, item := range v {
			relax(item)
		}
	}
}

func entitySchema(e *entity.Entity) map[string]any {
	fields := map[string]any{}
	for _, f := range slices.Concat(e.Fields, entity.Envelope()) {
		fields[f.Name] = fieldSchema(f)
	}
	return map[string]any{
		"description": e.Title,
		"allOf":       []any{map[string]any{"$ref": "#/$defs/entity"}},
		"properties":  map[string]any{"fields": map[string]any{"properties": fields}},
	}
}

func fieldSchema(f *entity.Field) map[string]any {
	out := map[string]any{"description": describe(f), "allOf": []any{map[string]any{"$ref": "#/$defs/field"}}}
	inner := map[string]any{}
	for _, m := range f.Fields {
		inner[m.Name] = fieldSchema(m)
	}
	if len(inner) > 0 {
		out["properties"] = map[string]any{"fields": map[string]any{"properties": inner}}
	}
	return out
}

func describe(f *entity.Field) string {
	switch {
	case f.Ref != "":
		return fmt.Sprintf("%s: the id of one of %s", f.Type, f.Ref)
	case len(f.Values) > 0:
		return fmt.Sprintf("%s: %s", f.Type, strings.Join(f.Values, ", "))
	}
	return string(f.Type)
}

// members goes down to a map of the schema, which is there.
func members(at map[string]any, path ...string) map[string]any {
	for _, key := range path {
		at = at[key].(map[string]any)
	}
	return at
}
