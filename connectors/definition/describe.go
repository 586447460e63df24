package definition

import (
	"encoding/json"
	"maps"
	"slices"

	"gantry/connectors"
	"gantry/connectors/wire"
)

// Describe gives what the catalogue publishes of the system.
func (d *Definition) Describe() wire.System {
	m := d.Metadata
	return wire.System{
		ID: m.ID, Version: m.Version, Digest: d.Digest, Product: m.Product, Categories: append([]string{}, m.Categories...), Tier: m.Tier,
		Proved: m.Proved, Evidence: m.Evidence, Driver: d.Driver, Dialect: d.Dialect, Login: d.Login.schema(), Guide: d.Guide, Entities: d.describeEntities(),
		Passthrough: string(d.Passes()),
	}
}

// Passes tells how the system takes requests of its own; "": it takes none. It follows from the driver, whose own word
// (connectors.Specification) is not at hand where there are no drivers.
func (d *Definition) Passes() connectors.Form {
	switch d.Driver {
	case "odata", "rest":
		return connectors.OverHTTP
	case "jsonrpc":
		return connectors.ByMethod
	}
	return ""
}

func (d *Definition) describeEntities() []wire.SystemEntity {
	out := []wire.SystemEntity{}
	for _, name := range slices.Sorted(maps.Keys(d.Entities)) {
		e := d.Entities[name]
		out = append(out, wire.SystemEntity{Name: name, Operations: e.Names(), Actions: slices.Sorted(maps.Keys(e.Actions))})
	}
	return out
}

// Names lists the operations that the definition has, in the order of the API.
func (e *Entity) Names() []string {
	names := []string{}
	for _, op := range []struct {
		name string
		has  bool
	}{
		{"list", e.Operations.List != nil}, {"get", e.Readable()}, {"create", e.Operations.Create != nil},
		{"update", e.Operations.Update != nil}, {"delete", e.Operations.Delete != nil},
	} {
		if op.has {
			names = append(names, op.name)
		}
	}
	return names
}

// Readable reports whether one record can be read: by a statement of its own, or from the list by its key.
func (e *Entity) Readable() bool { return e.Operations.Get != nil || e.Operations.List != nil }

// schema renders the login form as JSON Schema.
func (l Login) schema() json.RawMessage {
	doc := struct {
		Type       string              `json:"type"`
		Required   []string            `json:"required,omitempty"`
		Properties map[string]Property `json:"properties"`
	}{"object", l.Required, map[string]Property{}}
	for name, p := range l.Properties {
		if p.Type == "" {
			p.Type = "string"
		}
		if p.Title == "" {
			p.Title = name
		}
		doc.Properties[name] = p
	}
	raw, err := json.Marshal(doc)
	if err != nil { // values that came out of JSON: they go back into it
		return json.RawMessage(`{"type":"object"}`)
	}
	return raw
}
