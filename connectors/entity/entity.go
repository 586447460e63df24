// Package entity holds the twelve canonical entities: the records that every connected system is mapped onto.
//
// The catalogue is a Go table (catalogue.go), so that the definition linter, the engine and the published JSON Schema
// (schema.json, generated from it) can never disagree. Names follow OAGIS where it has one, failure codes ISO 14224,
// units UN/ECE Rec 20 and currency ISO 4217. Money and quantity are decimals, which travel as strings.
//
// The package describes records; it never reads, writes or encodes one.
package entity

// Type is the type of a canonical field.
type Type string

// The types, with the JSON that carries them.
const (
	String   Type = "string"   // one line of text
	Text     Type = "text"     // text of many lines
	Integer  Type = "integer"  // a number without fraction
	Decimal  Type = "decimal"  // an exact decimal, as a string: "12.50"
	Boolean  Type = "boolean"  // true or false
	Datetime Type = "datetime" // an instant, RFC 3339 in UTC: "2026-03-01T06:30:00Z"
	Date     Type = "date"     // a day: "2026-03-01"
	Ref      Type = "ref"      // the id of another record, a string
	Enum     Type = "enum"     // one of a list of strings
	Status   Type = "status"   // {value, native_code, native_label}, value being one of a list
	Object   Type = "object"   // named members
	List     Type = "list"     // objects in order
)

// Types lists every type.
func Types() []Type {
	return []Type{String, Text, Integer, Decimal, Boolean, Datetime, Date, Ref, Enum, Status, Object, List}
}

// Field is one member of a record.
type Field struct {
	Name   string
	Type   Type
	Ref    string   // of a Ref: the entity that it points to
	Values []string // of an Enum or a Status: the canonical values; `Other` is the last
	Fields []*Field // of an Object, or of a List's members
}

// Entity is one kind of record.
type Entity struct {
	Name   string // the path segment: "purchase-orders"
	Title  string
	Fields []*Field // the entity's own, in the order in which records show them
}

// Field looks a field up; nil: the entity has none of the name.
func (e *Entity) Field(name string) *Field { return find(e.Fields, name) }

// Field looks a member up; nil: there is none of the name.
func (f *Field) Field(name string) *Field { return find(f.Fields, name) }

// Other is the status of a record whose native status no definition maps.
const Other = "other"

// Lookup finds an entity of the catalogue.
func Lookup(name string) (*Entity, bool) {
	for _, e := range catalogue {
		if e.Name == name {
			return e, true
		}
	}
	return nil, false
}

// Catalogue lists the canonical entities in the order of the documentation. Nobody changes what it returns.
func Catalogue() []*Entity { return catalogue }

// Envelope lists the mapped members that every record may have beside its entity's own.
func Envelope() []*Field { return envelope }

func find(fields []*Field, name string) *Field {
	for _, f := range fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}
