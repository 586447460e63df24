package reference

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// The parts of the document that the page shows.

type document struct {
	Info struct {
		Title, Version, Summary, Description string
	}
	Servers []struct{ URL string }
	Tags    []struct{ Name, Description string }
	Paths   map[string]map[string]*operation

	Components struct {
		Schemas    map[string]*schema
		Responses  map[string]*response
		Parameters map[string]*parameter
		Headers    map[string]*header

		SecuritySchemes map[string]struct{ Description string }
	}
	ErrorCodes []errorCode `json:"x-error-codes"`
}

type errorCode struct {
	Code, Title, Meaning, Advice, Hop, Scope string
	Status                                   int
	Retryable                                bool
}

type operation struct {
	ID          string   `json:"operationId"`
	Entity      string   `json:"x-entity-operation"`
	Roles       []string `json:"x-roles"`
	Tags        []string
	Summary     string
	Description string
	Security    []map[string][]string
	Parameters  []*parameter
	Body        *body `json:"requestBody"`
	Responses   map[string]*response

	Method, Path string `json:"-"`
}

type parameter struct {
	Ref         string `json:"$ref"`
	Name, In    string
	Required    bool
	Description string
	Schema      *schema
	Example     any
}

type body struct {
	Description string
	Required    bool
	Content     map[string]*media
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Headers     map[string]*header
	Content     map[string]*media
}

type media struct {
	Schema  *schema
	Example json.RawMessage
}

type header struct {
	Ref         string `json:"$ref"`
	Description string
	Required    bool
	Schema      *schema
}

type schema struct {
	Ref          string `json:"$ref"`
	Type         kinds
	Format       string
	Description  string
	Enum         []any
	Default      any
	Minimum      *float64
	Maximum      *float64
	MaxLength    *int
	Required     []string
	Properties   properties
	Items        *schema
	AnyOf, OneOf []*schema
	Additional   *schema `json:"additionalProperties"`
	Content      *schema `json:"contentSchema"`
}

// UnmarshalJSON reads a schema, which may also be true or false.
func (s *schema) UnmarshalJSON(raw []byte) error {
	if string(raw) == "true" || string(raw) == "false" {
		return nil
	}
	type plain schema
	return json.Unmarshal(raw, (*plain)(s))
}

// kinds are the types of a schema: one, or several.
type kinds []string

// UnmarshalJSON implements json.Unmarshaler.
func (k *kinds) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*k = kinds{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(k))
}

// properties are the members of an object in their order.
type properties []property

type property struct {
	Name   string
	Schema *schema
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *properties) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var s schema
		if err := d.Decode(&s); err != nil {
			return err
		}
		text, _ := name.(string)
		*p = append(*p, property{text, &s})
	}
	return nil
}

// read reads the document, and puts what it refers to in the place of the references.
func read(raw []byte) (*document, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, err
	}
	for path, methods := range d.Paths {
		for method, o := range methods {
			o.Method, o.Path = strings.ToUpper(method), path
			for i, p := range o.Parameters {
				if p.Ref != "" {
					o.Parameters[i] = d.Components.Parameters[last(p.Ref)]
				}
			}
			for status, r := range o.Responses {
				if r.Ref != "" {
					o.Responses[status] = d.Components.Responses[last(r.Ref)]
				}
			}
			for _, r := range o.Responses {
				for name, h := range r.Headers {
					if h.Ref != "" {
						r.Headers[name] = d.Components.Headers[last(h.Ref)]
					}
				}
			}
		}
	}
	return &d, nil
}

func last(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// group is the operations of one tag.
type group struct {
	Name, Text string
	Operations []*operation
	Entity     string // the name of the entity whose they are; empty: none's
}

// Groups lists the operations by their tags, in the order of the document.
func (d *document) Groups() []group {
	groups := make([]group, len(d.Tags))
	for i, t := range d.Tags {
		groups[i] = group{Name: t.Name, Text: t.Description, Operations: d.tagged(t.Name)}
		if first := groups[i].Operations; len(first) > 0 && first[0].Entity != "" && !strings.Contains(first[0].Path, "{entity}") {
			groups[i].Entity = last(strings.TrimSuffix(first[0].Path, "/{id}"))
		}
	}
	return slices.DeleteFunc(groups, func(g group) bool { return len(g.Operations) == 0 })
}

func (d *document) tagged(tag string) (all []*operation) {
	for _, methods := range d.Paths {
		for _, o := range methods {
			if slices.Contains(o.Tags, tag) {
				all = append(all, o)
			}
		}
	}
	slices.SortFunc(all, func(a, b *operation) int {
		if a.Path != b.Path {
			return strings.Compare(a.Path, b.Path)
		}
		return strings.Index(methodOrder, a.Method) - strings.Index(methodOrder, b.Method)
	})
	return all
}

// methodOrder is that in which the methods of a path are shown.
const methodOrder = "GET POST PUT PATCH DELETE"

// find looks an operation up; nil: there is none.
func (d *document) find(id string) *operation {
	for _, methods := range d.Paths {
		for _, o := range methods {
			if o.ID == id {
				return o
			}
		}
	}
	return nil
}
