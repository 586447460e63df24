package generator

import (
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"gantry/connectors/entity"
)

// subject is what the operations of entities are about: one entity of the catalogue, or any.
type subject struct {
	entity  *entity.Entity // nil: any
	id      string         // before the operations' ids
	tag     string
	name    string // of its component
	record  string // in a sentence
	records string
	path    string
}

// anyEntity is what is served below /entities/{entity}, custom ones among them.
func anyEntity() subject {
	return subject{id: "entities", tag: "Any entity", name: "Record", record: "record", records: "records of an entity", path: "/entities/{entity}"}
}

// subjectOf gives the words of an entity. The plant's own sites stand below /entities, since /sites is the organisation's.
func subjectOf(e *entity.Entity) subject {
	s := subject{entity: e, id: e.Name, tag: e.Title, records: strings.ToLower(e.Title), path: "/" + e.Name}
	s.record = strings.TrimSuffix(s.records, "s")
	s.name = camel(strings.TrimSuffix(e.Name, "s"))
	switch e.Name {
	case "sites":
		s.id, s.tag, s.name, s.record, s.records, s.path = "plant-sites", "Sites of the plant's", "PlantSite", "site of the plant's", "the plant's own sites", "/entities/sites"
	case "inventory":
		s.record, s.records = "stock of an item", "stock"
	}
	return s
}

// fill puts the words of an entity in the place of their names.
func (s subject) fill(text string) string {
	article := "a "
	if strings.ContainsRune("aeiou", rune(s.record[0])) {
		article = "an "
	}
	return strings.NewReplacer("{records}", s.records, "a {record}", article+s.record, "{record}", s.record).Replace(text)
}

// camel makes PurchaseOrder of purchase-order and of purchase_order.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// entities makes the components of every entity, and those of any.
func (s *schemas) entities() {
	s.components["Warning"] = &jsonschema.Schema{Type: "object", Description: "Something that a record could not show as it is.",
		Required: []string{"field", "code", "message"}, PropertyOrder: []string{"field", "code", "message"},
		Properties: map[string]*jsonschema.Schema{
			"field":   {Type: "string", Description: "The field that it is about."},
			"code":    {Type: "string", Description: "What it is: an unmapped code, a text that was cut, an impossible date."},
			"message": {Type: "string", Description: "The same in words."}}}
	for _, e := range entity.Catalogue() {
		of := subjectOf(e)
		s.components[of.name] = s.record(of, e.Fields)
		s.components[of.name+"Input"] = s.input(of, e.Fields)
		s.components[of.name+"Page"] = s.page(of)
	}
	of := anyEntity()
	s.components[of.name] = s.record(of, nil)
	s.components[of.name+"Input"] = s.input(of, nil)
	s.components[of.name+"Page"] = s.page(of)
}

// record is an entity's record. Every member but the id may be missing, for a definition maps what its system knows.
func (s *schemas) record(of subject, fields []*entity.Field) *jsonschema.Schema {
	made := object(of.fill("A {record}, as the connected system has it. Members that the system does not know are missing or null."))
	put(made, "id", &jsonschema.Schema{Type: "string", Description: "The native key; parts of a composite one joined with `~`. It stays the same for ever."})
	made.Required = []string{"id"}
	for _, f := range fields {
		put(made, f.Name, s.field(f, of.name, false))
	}
	for _, f := range entity.Envelope() {
		put(made, f.Name, describe(s.field(f, of.name, false), "When the record was "+strings.TrimSuffix(f.Name, "_at")+", if the system knows."))
	}
	put(made, "etag", &jsonschema.Schema{Type: "string", Description: "The version of the record, where the system has one; also the header `ETag`."})
	put(made, "custom_fields", &jsonschema.Schema{Type: "object", Description: "What the site's own definition adds."})
	put(made, "remote_data", &jsonschema.Schema{Type: "object", Description: "The native record, only with `include=remote_data`."})
	put(made, "_actions", &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}, Description: "What may be done to the record now."})
	put(made, "_warnings", &jsonschema.Schema{Type: "array", Items: reference("Warning"), Description: "What could not be shown as it is."})
	if of.entity == nil {
		made.AdditionalProperties = &jsonschema.Schema{Description: "A field of the entity."}
	}
	return made
}

// input is what a create or an update sends.
func (s *schemas) input(of subject, fields []*entity.Field) *jsonschema.Schema {
	made := object(of.fill("The fields of a {record} that a create or an update sends. Which of them may and must be sent, the connection's capabilities say."))
	for _, f := range fields {
		put(made, f.Name, s.field(f, of.name, true))
	}
	put(made, "custom_fields", &jsonschema.Schema{Type: "object", Description: "What the site's own definition adds."})
	if of.entity == nil {
		made.AdditionalProperties = &jsonschema.Schema{Description: "A field of the entity."}
	}
	return made
}

func (s *schemas) page(of subject) *jsonschema.Schema {
	made := object(of.fill("A page of {records}."))
	put(made, "data", &jsonschema.Schema{Type: "array", Items: reference(of.name)})
	put(made, "next_cursor", describe(nullable("string"), "The `cursor` of the next page; null on the last one."))
	put(made, "has_more", &jsonschema.Schema{Type: "boolean", Description: "Whether there is a next page."})
	made.Required = []string{"data", "next_cursor", "has_more"}
	return made
}

// field is the schema of one field. What has members becomes a component of its own, named after where it stands.
func (s *schemas) field(f *entity.Field, within string, sent bool) *jsonschema.Schema {
	switch f.Type {
	case entity.Integer, entity.Boolean:
		return nullable(string(f.Type))
	case entity.Decimal:
		return describe(with(nullable("string"), func(s *jsonschema.Schema) { s.Pattern = `^-?[0-9]+(\.[0-9]+)?$` }), "An exact decimal number.")
	case entity.Datetime:
		return with(nullable("string"), func(s *jsonschema.Schema) { s.Format = "date-time" })
	case entity.Date:
		return with(nullable("string"), func(s *jsonschema.Schema) { s.Format = "date" })
	case entity.Ref:
		return describe(nullable("string"), "The id of one of the `"+f.Ref+"`.")
	case entity.Enum:
		return with(nullable("string"), func(s *jsonschema.Schema) { s.Enum = append(enum(f.Values), nil) })
	case entity.Status:
		if sent {
			return with(nullable("string"), func(s *jsonschema.Schema) { s.Enum = append(enum(f.Values), nil) })
		}
		return orNull(s.status(f, within))
	case entity.Object:
		return orNull(s.nested(f, within+camel(f.Name), sent))
	case entity.List:
		return with(nullable("array"), func(made *jsonschema.Schema) {
			made.Items = s.nested(f, within+camel(strings.TrimSuffix(f.Name, "s")), sent)
		})
	}
	return nullable("string")
}

func (s *schemas) nested(f *entity.Field, name string, sent bool) *jsonschema.Schema {
	if sent {
		name += "Input"
	}
	made := object("")
	for _, member := range f.Fields {
		put(made, member.Name, s.field(member, strings.TrimSuffix(name, "Input"), sent))
	}
	s.components[name] = made
	return reference(name)
}

func (s *schemas) status(f *entity.Field, within string) *jsonschema.Schema {
	made := object("Where the record stands. `other` is a native status that nobody mapped; `_warnings` says so.")
	put(made, "value", &jsonschema.Schema{Type: "string", Enum: enum(f.Values), Description: "The canonical status."})
	put(made, "native_code", describe(nullable("string"), "The status as the system writes it."))
	put(made, "native_label", describe(nullable("string"), "The status as the system's users read it."))
	made.Required = []string{"value", "native_code", "native_label"}
	s.components[within+"Status"] = made
	return reference(within + "Status")
}

func object(about string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", Description: about, Properties: map[string]*jsonschema.Schema{}}
}

func put(o *jsonschema.Schema, name string, member *jsonschema.Schema) {
	o.Properties[name] = member
	o.PropertyOrder = append(o.PropertyOrder, name)
}

func nullable(kind string) *jsonschema.Schema {
	return &jsonschema.Schema{Types: []string{kind, "null"}}
}

func orNull(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "null"}}}
}

func describe(s *jsonschema.Schema, about string) *jsonschema.Schema {
	s.Description = about
	return s
}

func with(s *jsonschema.Schema, change func(*jsonschema.Schema)) *jsonschema.Schema {
	change(s)
	return s
}
