package definition

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gantry/connectors"
	"gantry/connectors/entity"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// Bounds of an overlay that comes from the cloud.
const (
	MaxOverlay      = 256 << 10 // bytes
	maxOverlaid     = 200       // entities
	maxOverlayField = 100       // fields of one entity
	maxTitle        = 120       // characters
	maxColumn       = 128       // bytes of a column's name
)

// DecodeOverlay reads an overlay that a caller sent. It may map columns, and nothing else: every other member is a fault, and the
// error, which is a *fault.Error, names all of them. Whether the columns exist only the system can tell.
func DecodeOverlay(raw []byte) (wire.Overlay, error) {
	r := overlayReader{faults: fault.New(fault.InvalidRequest, "The overlay cannot be used.").Ended(fault.NotSent)}
	var o wire.Overlay
	if len(raw) > MaxOverlay {
		return o, fault.New(fault.PayloadTooLarge, "The overlay is larger than %d bytes.", MaxOverlay).Ended(fault.NotSent)
	}
	body, err := connectors.DecodeBody(raw)
	if err != nil {
		return o, fault.New(fault.InvalidRequest, "The body is no overlay: %v.", err).Ended(fault.NotSent)
	}
	o.Entities = map[string]wire.OverlayEntity{}
	top := r.members("", body, "entities")
	entities := r.object("entities", top["entities"], maxOverlaid)
	for _, name := range slices.Sorted(maps.Keys(entities)) {
		o.Entities[name] = r.entity("entities."+name, entities[name])
	}
	if len(r.faults.Fields) > 0 {
		return wire.Overlay{}, r.faults
	}
	return o, nil
}

// overlayReader gathers what is wrong.
type overlayReader struct{ faults *fault.Error }

func (r *overlayReader) refuse(at, code, format string, args ...any) {
	if len(r.faults.Fields) < 100 {
		r.faults.Member(at, code, format, args...)
	}
}

// members takes an object whose members are known.
func (r *overlayReader) members(at string, v map[string]any, known ...string) map[string]any {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(known, name) {
			r.refuse(strings.TrimPrefix(at+"."+name, "."), "UNKNOWN", "an overlay has no such member here: %s", strings.Join(known, ", "))
		}
	}
	return v
}

func (r *overlayReader) object(at string, v any, most int) map[string]any {
	object, ok := v.(map[string]any)
	switch {
	case !ok:
		r.refuse(at, "INVALID", "must be an object")
	case len(object) > most:
		r.refuse(at, "TOO_LONG", "has more than %d members", most)
		return nil
	}
	return object
}

var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,59}$`)

func (r *overlayReader) entity(at string, v any) wire.OverlayEntity {
	out := wire.OverlayEntity{CustomFields: map[string]wire.OverlayField{}}
	own := r.members(at, r.object(at, v, 20), "custom_fields")
	at += ".custom_fields"
	fields := r.object(at, own["custom_fields"], maxOverlayField)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		here := at + "." + name
		if !fieldName.MatchString(name) {
			r.refuse(here, "INVALID", "the name of a field has lower-case letters, digits and _, and at most 60 of them")
			continue
		}
		out.CustomFields[name] = r.field(here, fields[name])
	}
	return out
}

func (r *overlayReader) field(at string, v any) wire.OverlayField {
	own := r.members(at, r.object(at, v, 20), "from", "type", "title", "write", "filterable")
	f := wire.OverlayField{From: r.text(at+".from", own["from"], true), Type: r.text(at+".type", own["type"], true), Title: r.text(at+".title", own["title"], false)}
	switch {
	case f.From != "" && !ColumnName(f.From):
		r.refuse(at+".from", "INVALID", "is no name of a column")
	case utf8.RuneCountInString(f.Title) > maxTitle:
		r.refuse(at+".title", "TOO_LONG", "longer than %d characters", maxTitle)
	}
	if f.Type != "" && !slices.ContainsFunc(slices.Collect(maps.Values(natives)), func(types []entity.Type) bool { return slices.Contains(types, entity.Type(f.Type)) }) {
		r.refuse(at+".type", "INVALID", "%q is no type of a custom field", f.Type)
	}
	f.Write = r.write(at+".write", own["write"])
	if filterable, there := own["filterable"]; there {
		var ok bool
		if f.Filterable, ok = filterable.(bool); !ok {
			r.refuse(at+".filterable", "INVALID", "must be true or false")
		}
	}
	return f
}

func (r *overlayReader) text(at string, v any, required bool) string {
	s, ok := v.(string)
	if v == nil && !required || ok && (s != "" || !required) {
		return s
	}
	r.refuse(at, "INVALID", "must be a text")
	return ""
}

func (r *overlayReader) write(at string, v any) []string {
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	var out []string
	for _, item := range list {
		op, _ := item.(string)
		if op != "create" && op != "update" || slices.Contains(out, op) {
			ok = false
		}
		out = append(out, op)
	}
	if !ok {
		r.refuse(at, "INVALID", "must be a list of create and update")
		return nil
	}
	return out
}

// ColumnName reports whether a system's own name can be carried: quotes and what nobody sees are in no name that is mapped.
func ColumnName(name string) bool {
	return len(name) <= maxColumn && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(c rune) bool { return strings.ContainsRune("\"'`[]\\;", c) || !unicode.IsPrint(c) })
}

// Over gives the program with an overlay over its definition. The columns' native types are there. The error is Problems.
func (p *Program) Over(o wire.Overlay) (*Program, error) {
	raw, err := json.Marshal(layerOf(o))
	if err != nil {
		return nil, err
	}
	layer, err := parse("overlay", raw) // JSON is YAML
	if err != nil {
		return nil, err
	}
	for name := range o.Entities {
		if p.Definition.Entities[name] == nil {
			return nil, Problems{layer.at([]string{"entities", name}, "the system has no entity %q", name)}
		}
		for field := range o.Entities[name].CustomFields {
			if p.Definition.Entities[name].CustomFields[field] != nil {
				return nil, Problems{layer.at([]string{"entities", name, "custom_fields", field}, "the definition has a custom field of that name")}
			}
		}
	}
	return p.over(layer)
}

// over lays a layer over the definition, and compiles the whole.
func (p *Program) over(layer *node) (*Program, error) {
	schema, err := compileSchema()
	if err != nil {
		return nil, err
	}
	merged := merge(p.Definition.root, layer)
	if problems := validate(schema, merged); len(problems) > 0 {
		return nil, problems
	}
	d, err := decode(merged)
	if err != nil {
		return nil, err
	}
	d.files, d.env = p.Definition.files, p.Definition.env
	return Compile(d, []connectors.Driver{p.Driver})
}

// layerOf writes an overlay as a layer of a definition.
func layerOf(o wire.Overlay) map[string]any {
	entities := map[string]any{}
	for name, e := range o.Entities {
		fields := map[string]any{}
		for field, f := range e.CustomFields {
			one := map[string]any{"discovered": f.From, "type": f.Type, "native": f.Native}
			if f.Title != "" {
				one["title"] = f.Title
			}
			if len(f.Write) > 0 {
				one["write"] = f.Write
			}
			if f.Filterable {
				one["filterable"] = true
			}
			fields[field] = one
		}
		entities[name] = map[string]any{"custom_fields": fields}
	}
	return map[string]any{"entities": entities}
}
