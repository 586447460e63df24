package definition

import (
	"time"

	"gantry/connectors/entity"
)

// What a definition that says nothing gets.
const (
	defaultConcurrency = 4
	defaultTimeout     = Duration(30 * time.Second)
	defaultPageSize    = 500
	defaultScan        = 10_000
	defaultTier        = 1
	defaultProved      = "shape"
)

// complete fills in what follows from something else: canonical types, keysets, limits.
func (d *Definition) complete() {
	orDefault(&d.Limits.Concurrency, defaultConcurrency)
	orDefault(&d.Limits.Timeout, defaultTimeout)
	orDefault(&d.Limits.PageSize, defaultPageSize)
	orDefault(&d.Limits.Scan, defaultScan)
	orDefault(&d.Metadata.Tier, defaultTier)
	orDefault(&d.Metadata.Proved, defaultProved)
	for name, e := range d.Entities {
		e.complete(name)
	}
}

func orDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

func (e *Entity) complete(name string) {
	canonical := append([]*entity.Field{}, entity.Envelope()...)
	if known, ok := entity.Lookup(name); ok {
		canonical = append(canonical, known.Fields...)
	}
	completeFields(e.Fields, canonical)
	completeFields(e.CustomFields, nil)
	e.completeDiscovered()
	for _, action := range e.Actions {
		completeFields(action.Input, canonical)
	}
	if list := e.Operations.List; list != nil && len(list.Keyset) == 0 {
		list.Keyset = e.Key
	}
	for _, child := range e.Children {
		if child.Of == "" && len(e.Key) == 1 {
			child.Of = e.Key[0].Name
		}
	}
}

// completeFields takes type, reference and values from the canonical field of the same name.
func completeFields(fields map[string]*Field, canonical []*entity.Field) {
	for name, f := range fields {
		var known entity.Field
		for _, c := range canonical {
			if c.Name == name {
				known = *c
			}
		}
		orDefault(&f.Type, known.Type)
		if f.Type == known.Type {
			orDefault(&f.Ref, known.Ref)
			if len(f.Values) == 0 {
				f.Values = known.Values
			}
		}
		if f.Native == "" {
			f.Native = f.native()
		}
		f.inherit()
		completeFields(f.Fields, known.Fields)
	}
}

// inherit lets the members of a writable object or list be writable where none of them says otherwise.
func (f *Field) inherit() {
	for _, member := range f.Fields {
		if len(member.Write) > 0 {
			return
		}
	}
	for _, member := range f.Fields {
		if member.Value == "" {
			member.Write = f.Write
		}
	}
}

// native is what a column holds where the definition does not say.
func (f *Field) native() Native {
	switch f.Type {
	case entity.Integer:
		return NativeInteger
	case entity.Decimal:
		return NativeDecimal
	case entity.Boolean:
		if f.Enum != nil {
			return f.Enum.native()
		}
		return NativeBoolean
	case entity.Datetime:
		return NativeDatetime
	case entity.Date:
		return NativeDate
	}
	if f.Enum != nil {
		return f.Enum.native()
	}
	return NativeString
}
