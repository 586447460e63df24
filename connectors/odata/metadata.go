package odata

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"gantry/connectors/markup"
)

// model is what a service's $metadata says of its types: CSDL 2.0/3.0 of version 2, CSDL 4.0 of version 4.
type model struct {
	version   string // of the protocol, as the document says
	types     map[string]*structure
	sets      map[string]string    // of the containers: set or singleton, and its type
	functions map[string]*function // those of the container by name, all others by namespace and name
	others    map[string]string    // enumerations and definitions of types, and what their values are written as

	ends map[string]map[string]end // of version 2's associations, by name and role
}

// structure is a type of records, or of values with members.
type structure struct {
	name       string
	base       string
	keys       []string
	open       bool
	properties map[string]property
	relations  map[string]relation
}

// property is a member with a type: Edm's own, an enumeration, or another structure.
type property struct {
	name string
	kind string
	many bool
	note
}

// note is what metadata says of a property for people, and for those who write: attributes of SAP's (sap:label), or annotations of version 4
// (Common.Label, Core.Computed).
type note struct {
	label    string
	readOnly bool // neither a create nor an update takes it
	day      bool // a time of which only the day counts
}

// relation leads to other records.
type relation struct {
	name   string
	target string
	many   bool

	association, role string // of version 2, until they are resolved
}

type end struct {
	kind string
	many bool
}

// function is an action, a function or a function import.
type function struct {
	name       string
	method     string // of version 2
	parameters map[string]property
	returns    property
}

// Bounds of a model. A service of a whole ERP has some thousands of types.
const (
	maxTypes      = 20_000
	maxProperties = 400_000
)

// readModel reads $metadata. What it does not know it passes over.
func readModel(document []byte) (*model, error) {
	m := &model{
		types: map[string]*structure{}, sets: map[string]string{}, functions: map[string]*function{}, others: map[string]string{},
		ends: map[string]map[string]end{},
	}
	r := &modelReader{model: m, aliases: map[string]string{}, imports: map[string]string{}, notes: map[string]note{}}
	if err := markup.Walk(document, r.visit); err != nil {
		return nil, err
	}
	if m.version == "" {
		return nil, errors.New("the document is no metadata of OData")
	}
	r.resolve()
	return m, nil
}

// modelReader reads one document, element by element.
type modelReader struct {
	*model
	namespace   string
	aliases     map[string]string
	imports     map[string]string
	structure   *structure
	function    *function
	association string
	property    string          // the last one
	target      string          // of annotations that stand apart: NS.Type/Property
	notes       map[string]note // by target, with the type's name as the document writes it
	count       int
}

func (r *modelReader) visit(e markup.Element) error {
	if r.count++; r.count > maxProperties || len(r.types)+len(r.functions)+len(r.others) > maxTypes {
		return errors.New("the metadata describes more types or properties than the driver takes")
	}
	switch e.Name() {
	case "Edmx":
		r.version = e.Attr("Version")
	case "DataServices":
		if v := e.Attr("DataServiceVersion"); v != "" {
			r.version = v
		}
	case "Schema":
		if r.namespace = e.Attr("Namespace"); e.Attr("Alias") != "" {
			r.aliases[e.Attr("Alias")] = r.namespace
		}
	case "EntityType", "ComplexType":
		r.structure = &structure{
			name: r.qualified(e), base: e.Attr("BaseType"), open: e.Attr("OpenType") == "true",
			properties: map[string]property{}, relations: map[string]relation{},
		}
		r.types[r.structure.name] = r.structure
	case "EnumType":
		r.others[r.qualified(e)] = "Edm.String"
	case "TypeDefinition":
		r.others[r.qualified(e)] = e.Attr("UnderlyingType")
	case "Association":
		r.association = r.qualified(e)
		r.ends[r.association] = map[string]end{}
	case "End":
		if len(e.Path) > 1 && e.Path[len(e.Path)-2] == "Association" {
			r.ends[r.association][e.Attr("Role")] = end{e.Attr("Type"), e.Attr("Multiplicity") == "*"}
		}
	case "EntitySet", "Singleton":
		kind := e.Attr("EntityType")
		if kind == "" {
			kind = e.Attr("Type")
		}
		r.sets[e.Attr("Name")] = kind
	default:
		r.member(e)
	}
	return nil
}

// member reads what stands within a type or a function.
func (r *modelReader) member(e markup.Element) {
	within := ""
	if len(e.Path) > 1 {
		within = e.Path[len(e.Path)-2]
	}
	inType := r.structure != nil && (within == "EntityType" || within == "ComplexType")
	switch e.Name() {
	case "PropertyRef":
		if r.structure != nil && within == "Key" {
			r.structure.keys = append(r.structure.keys, e.Attr("Name"))
		}
	case "Property":
		if inType {
			p := typed(e.Attr("Name"), e.Attr("Type"))
			p.note = note{
				label: e.Attr("label"), day: e.Attr("display-format") == "Date",
				readOnly: e.Attr("creatable") == "false" && e.Attr("updatable") == "false",
			}
			r.structure.properties[p.name], r.property = p, p.name
		}
	case "Annotations":
		r.target = e.Attr("Target")
	case "Annotation":
		r.annotation(e, within)
	case "NavigationProperty":
		if inType {
			p := typed(e.Attr("Name"), e.Attr("Type"))
			r.structure.relations[p.name] = relation{p.name, p.kind, p.many, e.Attr("Relationship"), e.Attr("ToRole")}
		}
	case "FunctionImport", "ActionImport", "Action", "Function":
		r.callable(e)
	case "Parameter":
		if r.function != nil && (within == "FunctionImport" || within == "Action" || within == "Function") {
			r.function.parameters[e.Attr("Name")] = typed(e.Attr("Name"), e.Attr("Type"))
		}
	case "ReturnType":
		if r.function != nil {
			r.function.returns = typed("", e.Attr("Type"))
		}
	}
}

// annotation notes what one says of a property: within it, or within a list of annotations for a target.
func (r *modelReader) annotation(e markup.Element, within string) {
	target := r.target
	if within == "Property" && r.structure != nil {
		target = r.structure.name + "/" + r.property
	} else if within != "Annotations" {
		return
	}
	n := r.notes[target]
	switch term := e.Attr("Term"); {
	case strings.HasSuffix(term, "Common.Label"), strings.HasSuffix(term, "Common.v1.Label"):
		n.label = e.Attr("String")
	case strings.HasSuffix(term, "Core.Computed"), strings.HasSuffix(term, "Core.V1.Computed"):
		n.readOnly = e.Attr("Bool") != "false"
	default:
		return
	}
	r.notes[target] = n
}

// callable reads an action or a function, or what makes one part of the service.
func (r *modelReader) callable(e markup.Element) {
	if e.Attr("Action") != "" || e.Attr("Function") != "" { // version 4: an import names what it imports
		r.imports[e.Attr("Name")] = e.Attr("Action") + e.Attr("Function")
		return
	}
	r.function = &function{name: e.Attr("Name"), method: e.Attr("HttpMethod"), parameters: map[string]property{}, returns: typed("", e.Attr("ReturnType"))}
	if e.Name() == "FunctionImport" {
		r.functions[r.function.name] = r.function
		return
	}
	r.functions[r.qualified(e)] = r.function
}

func (r *modelReader) qualified(e markup.Element) string { return r.namespace + "." + e.Attr("Name") }

// typed reads the name of a type: Collection(NS.Type) are many.
func typed(name, kind string) property {
	inner, many := strings.CutPrefix(kind, "Collection(")
	if many {
		kind = strings.TrimSuffix(inner, ")")
	}
	return property{name: name, kind: kind, many: many}
}

// resolve replaces aliases by namespaces, and associations by what they lead to.
func (r *modelReader) resolve() {
	for _, s := range r.types {
		s.base = r.full(s.base)
		for name, p := range s.properties {
			p.kind = r.full(p.kind)
			s.properties[name] = p
		}
		for name, n := range s.relations {
			if n.association != "" {
				e := r.ends[r.full(n.association)][n.role]
				n.target, n.many = e.kind, e.many
			}
			n.target = r.full(n.target)
			s.relations[name] = n
		}
	}
	for target, n := range r.notes {
		kind, name, _ := strings.Cut(target, "/")
		if s := r.types[r.full(kind)]; s != nil {
			if p, known := s.properties[name]; known {
				p.label, p.readOnly = cmp.Or(n.label, p.label), n.readOnly || p.readOnly
				s.properties[name] = p
			}
		}
	}
	for name, kind := range r.sets {
		r.sets[name] = r.full(kind)
	}
	for name, imported := range r.imports {
		if f := r.functions[r.full(imported)]; f != nil {
			r.functions[name] = f
		}
	}
	for _, f := range r.functions {
		f.returns.kind = r.full(f.returns.kind)
		for name, p := range f.parameters {
			p.kind = r.full(p.kind)
			f.parameters[name] = p
		}
	}
}

func (r *modelReader) full(kind string) string {
	i := strings.LastIndexByte(kind, '.')
	if i < 0 {
		return kind
	}
	if namespace, known := r.aliases[kind[:i]]; known {
		return namespace + kind[i:]
	}
	return kind
}

// maxBases bounds how far types inherit.
const maxBases = 16

// lineage gives a type and what it inherits from.
func (m *model) lineage(name string) []*structure {
	var out []*structure
	for range maxBases {
		s := m.types[name]
		if s == nil {
			break
		}
		out = append(out, s)
		name = s.base
	}
	return out
}

// keys gives the names of a type's key.
func (m *model) keys(kind string) []string {
	for _, s := range m.lineage(kind) {
		if len(s.keys) > 0 {
			return s.keys
		}
	}
	return nil
}

// property finds one by its name; where none has it, by its name in any case.
func (m *model) property(kind, name string) (property, bool) {
	all := m.lineage(kind)
	for _, s := range all {
		if p, ok := s.properties[name]; ok {
			return p, true
		}
	}
	for _, s := range all {
		for _, own := range slices.Sorted(maps.Keys(s.properties)) {
			if strings.EqualFold(own, name) {
				return s.properties[own], true
			}
		}
	}
	return property{}, false
}

// relation finds one by its name; where none has it, by its name in any case.
func (m *model) relation(kind, name string) (relation, bool) {
	all := m.lineage(kind)
	for _, s := range all {
		if n, ok := s.relations[name]; ok {
			return n, true
		}
	}
	for _, s := range all {
		for _, own := range slices.Sorted(maps.Keys(s.relations)) {
			if strings.EqualFold(own, name) {
				return s.relations[own], true
			}
		}
	}
	return relation{}, false
}

// isOpen tells a type whose records may have more than it says.
func (m *model) isOpen(kind string) bool {
	for _, s := range m.lineage(kind) {
		if s.open {
			return true
		}
	}
	return false
}

// primitive gives the type that values of a property are written as; "": it is a structure.
func (m *model) primitive(p property) string {
	kind := p.kind
	for range maxBases {
		if strings.HasPrefix(kind, "Edm.") {
			return kind
		}
		under, known := m.others[kind]
		if !known {
			return ""
		}
		kind = under
	}
	return ""
}
