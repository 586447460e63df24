// Package generator makes the OpenAPI 3.1 document of the public API: the operations and what they promise from package
// openapi's values, the documents' schemas from Go types and the comments beside them, the records from the catalogue of
// entities, the failures from the table of codes.
//
// It runs when the document is generated (`make generate`), and in the test that tells a stale one; no program is linked
// with it. What is served is the file that it wrote.
package generator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"

	"gantry/connectors/entity"
	"gantry/relay/openapi"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// Input is what the document is made of.
type Input struct {
	Root       string // of the module's source
	Examples   string // the folder of examples
	Operations []openapi.Operation
	Tags       []openapi.Group
	Words      map[reflect.Type][]string // named types that are one of a list of words
}

// generator is a document on its way.
type generator struct {
	made     *document
	schemas  *schemas
	examples *examples
}

// Document writes the document.
func Document(in Input) ([]byte, error) {
	examples, err := readExamples(in.Examples)
	if err != nil {
		return nil, err
	}
	g := &generator{made: frame(), examples: examples, schemas: newSchemas(in)}
	g.made.Components.Schemas = g.schemas.components
	if err := g.common(); err != nil {
		return nil, err
	}
	for _, o := range in.Operations {
		if err := g.add(o); err != nil {
			return nil, err
		}
	}
	g.tags(in.Tags)
	if err := examples.unused(); err != nil {
		return nil, err
	}
	return write(g.made)
}

func newSchemas(in Input) *schemas {
	words := map[reflect.Type][]string{
		reflect.TypeFor[fault.Code]():    listed(fault.Specs(), func(s fault.Spec) string { return string(s.Code) }),
		reflect.TypeFor[fault.Hop]():     listed(fault.Hops(), func(h fault.Hop) string { return string(h) }),
		reflect.TypeFor[fault.Scope]():   listed(fault.Scopes(), func(s fault.Scope) string { return string(s) }),
		reflect.TypeFor[fault.Outcome](): listed(fault.Outcomes(), func(o fault.Outcome) string { return string(o) }),
	}
	maps.Copy(words, in.Words)
	return &schemas{
		comments: comments{root: in.Root, packages: map[string]map[string]string{}},
		words:    words, names: map[string]reflect.Type{}, components: map[string]*jsonschema.Schema{},
		aliases: map[reflect.Type]string{
			reflect.TypeFor[fault.Field]():  "ProblemField",
			reflect.TypeFor[fault.Source](): "ProblemSource",
			reflect.TypeFor[check.Report](): "DoctorReport",
			reflect.TypeFor[check.Result](): "DoctorResult",
		},
	}
}

func listed[T any](all []T, name func(T) string) []string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = name(one)
	}
	return names
}

// common makes the components that no operation of its own brings.
func (g *generator) common() error {
	for _, t := range []reflect.Type{reflect.TypeFor[fault.Problem](), reflect.TypeFor[openapi.StreamEnd](), reflect.TypeFor[openapi.StreamError]()} {
		if _, err := g.schemas.of(t, false); err != nil {
			return fmt.Errorf("describe %s: %w", t, err)
		}
	}
	g.schemas.entities()
	maps.Copy(g.made.Components.Headers, commonHeaders())
	return nil
}

// tags lists the groups of operations, with the entities behind those that the API names.
func (g *generator) tags(groups []openapi.Group) {
	for _, group := range groups {
		g.made.Tags = append(g.made.Tags, tag{string(group.Tag), group.Text})
	}
	of := anyEntity()
	g.made.Tags = append(g.made.Tags, tag{of.tag, "Every entity by one path, custom ones among them. The twelve have paths of their own, too."})
	for _, e := range entity.Catalogue() {
		of := subjectOf(e)
		g.made.Tags = append(g.made.Tags, tag{of.tag, of.fill("Records of the entity `" + e.Name + "`. What a connection can do with them, its capabilities say.")})
	}
}

// write encodes the document as it is committed.
func write(d *document) ([]byte, error) {
	var compact, made bytes.Buffer
	encoder := json.NewEncoder(&compact)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(d); err != nil {
		return nil, fmt.Errorf("encode document: %w", err)
	}
	if err := json.Indent(&made, compact.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("indent document: %w", err)
	}
	return made.Bytes(), nil
}
