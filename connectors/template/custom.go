package template

import (
	"maps"
	"strings"
)

// custom marks, in an object, the place of members that no definition names: those of an overlay. With the ? those are left out
// that are null.
const (
	custom         = "$custom"
	customOptional = "$custom?"
)

// ExtendSteps puts members in the places that the named parts of some steps keep for them, in copies; found tells whether there is one.
func ExtendSteps(steps []map[string]any, members map[string]any, parts ...string) (extended []map[string]any, found bool) {
	for _, step := range steps {
		for _, part := range parts {
			if wider, here := Extend(step[part], members); here {
				step = maps.Clone(step)
				step[part], found = wider, true
			}
		}
		extended = append(extended, step)
	}
	return extended, found
}

// Extend puts members in the places that a template keeps for them, in a copy; found tells whether there is one. Where nothing is
// put there, a place says nothing.
func Extend(v any, members map[string]any) (extended any, found bool) {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var here bool
			out[i], here = Extend(item, members)
			found = found || here
		}
		return out, found
	case map[string]any:
		return extendObject(v, members)
	}
	return v, false
}

func extendObject(v, members map[string]any) (any, bool) {
	out, found := make(map[string]any, len(v)), false
	for key, item := range v {
		if key == custom || key == customOptional {
			found = true
			continue
		}
		inner, here := Extend(item, members)
		out[key], found = inner, found || here
	}
	for _, place := range []string{custom, customOptional} {
		if _, there := v[place]; !there {
			continue
		}
		for name, value := range members {
			out[name+strings.TrimPrefix(place, custom)] = value
		}
	}
	return out, found
}
