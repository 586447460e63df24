package definition

import (
	"maps"

	"gantry/connectors/entity"
)

// The names of parameters that the engine provides, for the check that every `:name` comes from somewhere.

// loginParams are the settings; credentials are never bound.
func (c *compiler) loginParams() map[string]bool {
	out := map[string]bool{}
	for name, p := range c.d.Login.Properties {
		if !p.WriteOnly {
			out["login_"+name] = true
		}
	}
	return out
}

func columnParams(columns []Column) map[string]bool {
	out := map[string]bool{}
	for _, c := range columns {
		out[c.Name] = true
	}
	return out
}

// fieldParams names the writable fields; a member of an object is joined to it: ship_to_city.
func fieldParams(prefix string, fields map[string]*Field) map[string]bool {
	return leaves(prefix, fields, func(f *Field) bool { return len(f.Write) > 0 })
}

// inputParams names all members of an action's input.
func inputParams(prefix string, fields map[string]*Field) map[string]bool {
	return leaves(prefix, fields, func(*Field) bool { return true })
}

func leaves(prefix string, fields map[string]*Field, want func(*Field) bool) map[string]bool {
	out := map[string]bool{}
	for name, f := range fields {
		switch {
		case f.Type == entity.Object:
			maps.Copy(out, leaves(prefix+name+"_", f.Fields, want))
		case f.Discovered != "" && want(f):
			out[f.From] = true
		case f.Type != entity.List && want(f):
			out[prefix+name] = true
		}
	}
	return out
}

func names(all ...string) map[string]bool {
	out := map[string]bool{}
	for _, name := range all {
		out[name] = true
	}
	return out
}

func keysOf[V any](m map[string]V) map[string]bool {
	out := map[string]bool{}
	for name := range m {
		out[name] = true
	}
	return out
}

func union(sets ...map[string]bool) map[string]bool {
	out := map[string]bool{}
	for _, set := range sets {
		maps.Copy(out, set)
	}
	return out
}
