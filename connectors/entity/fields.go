package entity

// The small words that the catalogue is written in.

func field(name string, t Type) *Field { return &Field{Name: name, Type: t} }

func ref(name, target string) *Field { return &Field{Name: name, Type: Ref, Ref: target} }

func status(values []string) *Field { return &Field{Name: "status", Type: Status, Values: values} }

func object(name string, members ...*Field) *Field {
	return &Field{Name: name, Type: Object, Fields: members}
}

func list(name string, members ...*Field) *Field {
	return &Field{Name: name, Type: List, Fields: members}
}

func strings(names ...string) []*Field  { return each(String, names) }
func decimals(names ...string) []*Field { return each(Decimal, names) }
func times(names ...string) []*Field    { return each(Datetime, names) }

func each(t Type, names []string) []*Field {
	out := make([]*Field, len(names))
	for i, name := range names {
		out[i] = field(name, t)
	}
	return out
}

// fields joins fields and groups of fields, in order.
func fields(parts ...any) []*Field {
	var out []*Field
	for _, part := range parts {
		switch p := part.(type) {
		case *Field:
			out = append(out, p)
		case []*Field:
			out = append(out, p...)
		}
	}
	return out
}
