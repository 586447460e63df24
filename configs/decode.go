package configs

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds how deep a document may nest. Our own types need five.
const maxDepth = 12

// decoder fills a struct from YAML nodes. It does by hand what yaml's own decoder cannot: go on after a fault, and know
// the place of every key.
type decoder struct {
	report *Report
	shape  reflect.Type // of the whole configuration, for suggestions
	depth  int
}

var durationType = reflect.TypeFor[time.Duration]()

// value decodes a node into v. A null leaves the default.
func (d *decoder) value(path string, n *yaml.Node, v reflect.Value) {
	if d.depth++; d.depth > maxDepth {
		d.depth--
		d.report.Reject(path, "", "the document nests too deep")
		return
	}
	defer func() { d.depth-- }()
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.report.Reject(path, "Write the value out", "YAML anchors and aliases are not taken here")
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return
	case v.Type() == durationType:
		d.duration(path, n, v)
	case v.Kind() == reflect.Struct:
		d.structure(path, n, v)
	case v.Kind() == reflect.Map:
		d.mapping(path, n, v)
	case v.Kind() == reflect.Slice:
		d.sequence(path, n, v)
	default:
		d.scalar(path, n, v)
	}
}

// structure decodes a mapping whose keys are the struct's.
func (d *decoder) structure(path string, n *yaml.Node, v reflect.Value) {
	members := fields(v)
	d.pairs(path, n, func(at, key string, value *yaml.Node) {
		if member, ok := members[key]; ok {
			d.value(at, value, member)
			return
		}
		d.report.Reject(at, d.suggest(path, key, members), "unknown key %q", clip(key))
	})
}

// mapping decodes a mapping whose keys are the user's own names.
func (d *decoder) mapping(path string, n *yaml.Node, v reflect.Value) {
	result := reflect.MakeMap(v.Type())
	d.pairs(path, n, func(at, key string, value *yaml.Node) {
		member := reflect.New(v.Type().Elem()).Elem()
		d.value(at, value, member)
		result.SetMapIndex(reflect.ValueOf(key), member)
	})
	v.Set(result)
}

// pairs visits the keys of a mapping, each once, and notes their places.
func (d *decoder) pairs(path string, n *yaml.Node, visit func(at, key string, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.wrong(path, n, "keys with values", "")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, key.Value)
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			d.report.Reject(path, "", "line %d: a key must be a plain word", key.Line)
			continue
		}
		if seen[key.Value] {
			d.report.places[at] = place{key.Line, key.Column}
			d.report.Reject(at, "Keep one of them", "the key stands here a second time")
			continue
		}
		seen[key.Value] = true
		d.report.places[at] = place{key.Line, key.Column}
		visit(at, key.Value, value)
	}
}

// sequence decodes a list.
func (d *decoder) sequence(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(path, n, "a list", "Write it as `[one, two]`, or each on a line of its own after `- `")
		return
	}
	result := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, member := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.report.places[at] = place{member.Line, member.Column}
		d.value(at, member, result.Index(i))
	}
	v.Set(result)
}

// scalar decodes a text, a number, or true and false. YAML's own readings that surprise (yes, 012, a date) are faults.
func (d *decoder) scalar(path string, n *yaml.Node, v reflect.Value) {
	kinds := map[reflect.Kind]struct{ tag, want, fix string }{
		reflect.String:  {"!!str", "a text", fmt.Sprintf("Put it in quotes: %q", clip(n.Value))},
		reflect.Bool:    {"!!bool", "true or false", "Write `true` or `false`"},
		reflect.Int:     {"!!int", "a whole number", ""},
		reflect.Int64:   {"!!int", "a whole number", ""},
		reflect.Float64: {"!!float", "a number", ""},
	}
	kind := kinds[v.Kind()]
	if n.Kind != yaml.ScalarNode {
		kind.fix = "" // quotes would not help
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != kind.tag || n.Decode(v.Addr().Interface()) != nil {
		d.wrong(path, n, kind.want, kind.fix)
	}
}

// duration decodes Go's notation: 30s, 5m, 168h.
func (d *decoder) duration(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.ScalarNode {
		if parsed, err := time.ParseDuration(n.Value); err == nil {
			v.SetInt(int64(parsed))
			return
		}
	}
	d.wrong(path, n, "a duration", "Write it with its unit, as `30s`, `5m` or `168h`")
}

// wrong reports a node that is something else than it should be.
func (d *decoder) wrong(path string, n *yaml.Node, want, fix string) {
	got := fmt.Sprintf("%q", clip(n.Value))
	switch n.Kind {
	case yaml.MappingNode:
		got = "keys with values"
	case yaml.SequenceNode:
		got = "a list"
	}
	if path == "" {
		d.report.Reject(path, fix, "the file should hold %s, not %s", want, got)
		return
	}
	d.report.Reject(path, fix, "should be %s, not %s", want, got)
}

// fields gives the members of a struct by their YAML key, those of inlined structs among them.
func fields(v reflect.Value) map[string]reflect.Value {
	members := map[string]reflect.Value{}
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			maps.Copy(members, fields(v.Field(i)))
		case name != "" && name != "-":
			members[name] = v.Field(i)
		}
	}
	return members
}

// suggest says where an unknown key might belong: a near word beside it, or the same word elsewhere.
func (d *decoder) suggest(path, key string, members map[string]reflect.Value) string {
	var names []string
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	if near := Nearest(key, names); near != "" {
		return fmt.Sprintf("Did you mean `%s`?", near)
	}
	for _, known := range Keys(reflect.New(d.shape).Elem().Interface()) {
		if known == key || strings.HasSuffix(known, "."+key) {
			return fmt.Sprintf("Did you mean `%s`?", known)
		}
	}
	if path == "" {
		return "Known here: " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("Known in `%s`: %s", path, strings.Join(names, ", "))
}

// Keys lists the paths of every key that a configuration struct has, in the order of its fields; the user's own names
// in a map stand as `*`.
func Keys(config any) []string { return keys("", reflect.TypeOf(config)) }

func keys(path string, t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Map:
		return keys(join(path, "*"), t.Elem())
	case reflect.Struct:
		var all []string
		for i := range t.NumField() {
			name, option, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			switch {
			case option == "inline":
				all = append(all, keys(path, t.Field(i).Type)...)
			case name != "" && name != "-":
				all = append(all, join(path, name))
				all = append(all, keys(join(path, name), t.Field(i).Type)...)
			}
		}
		return all
	}
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// clip bounds a foreign text in a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
