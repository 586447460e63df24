package house

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"gantry/connectors/entity"
	"gantry/docs"
)

// contract is the OpenAPI document, ready to judge answers. It is read once for all tests.
type contract struct {
	paths    map[string]any
	document map[string]any
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema // by their place in the document
	seen    map[string]bool               // operations that a test has called
}

// documentURL names the document to the compiler.
const documentURL = "https://gantry.invalid/openapi.json"

var readContract = sync.OnceValues(func() (*contract, error) {
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(docs.OpenAPI))
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	document, _ := raw.(map[string]any)
	schemas, _ := in(document, "components", "schemas").(map[string]any)
	for name, schema := range schemas {
		if !strings.HasSuffix(name, "Input") && !strings.HasSuffix(name, "Wish") {
			closeObjects(schema)
		}
	}
	c := &contract{document: document, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}, seen: map[string]bool{}}
	c.paths, _ = document["paths"].(map[string]any)
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	return c, c.compiler.AddResource(documentURL, document)
})

func theContract(t testing.TB) *contract {
	t.Helper()
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// closeObjects makes a test of what clients must bear: that an answer has members which the document does not name. It may
// only be so where the document says so.
func closeObjects(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		_, members := s["properties"]
		_, open := s["additionalProperties"]
		_, refers := s["$ref"]
		if members && !open && !refers {
			s["additionalProperties"] = false
		}
		for key, part := range s {
			if key != "enum" && key != "example" && key != "default" {
				closeObjects(part)
			}
		}
	case []any:
		for _, part := range s {
			closeObjects(part)
		}
	}
}

// in goes down into a document.
func in(document any, path ...string) any {
	for _, name := range path {
		object, _ := document.(map[string]any)
		document = object[name]
	}
	return document
}

// schema compiles the schema at a place, once.
func (c *contract) schema(place ...string) (*jsonschema.Schema, error) {
	for i, part := range place {
		place[i] = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(part)
	}
	location := documentURL + "#/" + strings.Join(place, "/")
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := c.schemas[location]; have != nil {
		return have, nil
	}
	made, err := c.compiler.Compile(location)
	c.schemas[location] = made
	return made, err
}

// operation finds what a request is in the document: the place of its operation, and the operation; nil: none.
func (c *contract) operation(r *http.Request) (place []string, operation map[string]any) {
	path := canonicalPath(strings.TrimPrefix(r.URL.EscapedPath(), "/api/v1"))
	segments := strings.Split(path, "/")
	best := ""
	for template := range c.paths {
		if fits(segments, strings.Split(template, "/")) && (best == "" || moreSpecific(template, best)) {
			best = template
		}
	}
	method := strings.ToLower(r.Method)
	operation, _ = in(c.paths, best, method).(map[string]any)
	return []string{"paths", best, method}, operation
}

// canonicalPath gives the path under which the document describes a record: the twelve entities by their own, others below
// /entities.
func canonicalPath(path string) string {
	rest, below := strings.CutPrefix(path, "/entities/")
	name, _, _ := strings.Cut(rest, "/")
	if _, canonical := entity.Lookup(name); below && canonical && name != "sites" {
		return "/" + rest
	}
	return path
}

func fits(segments, template []string) bool {
	return slices.EqualFunc(segments, template, func(have, want string) bool {
		return have == want || strings.HasPrefix(want, "{") && have != ""
	})
}

// moreSpecific tells whether a has a fixed segment where b has the first parameter. Both have as many segments.
func moreSpecific(a, b string) bool {
	others := strings.Split(b, "/")
	for i, segment := range strings.Split(a, "/") {
		if p, q := strings.HasPrefix(segment, "{"), strings.HasPrefix(others[i], "{"); p != q {
			return q
		}
	}
	return false
}

// saw notes that a test has called an operation. One on entities counts for all of them.
func (c *contract) saw(operation map[string]any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[nameOf(operation)] = true
}

func nameOf(operation map[string]any) string {
	if name, _ := operation["x-entity-operation"].(string); name != "" {
		return name + " of an entity"
	}
	name, _ := operation["operationId"].(string)
	return name
}

// unseen lists the operations that no test has called.
func (c *contract) unseen() []string {
	names := map[string]bool{}
	for _, methods := range c.paths {
		for _, operation := range methods.(map[string]any) {
			if name := nameOf(operation.(map[string]any)); !c.seen[name] {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// everyOperationSeen lists, after a run of all tests, what none of them has called. It gives the exit code.
func everyOperationSeen() int {
	c, err := readContract()
	for _, part := range []string{"test.run", "test.skip", "test.list", "test.bench", "test.fuzz"} {
		if flag.Lookup(part).Value.String() != "" {
			return 0 // a part of the tests calls a part of the operations
		}
	}
	if err != nil {
		return 0 // a test has said so
	}
	unseen := c.unseen()
	if len(unseen) == 0 {
		return 0
	}
	fmt.Fprintf(os.Stderr, "no test calls: %s\n", strings.Join(unseen, ", "))
	return 1
}

// size counts the operations and the paths.
func (c *contract) size() (operations, paths int) {
	for _, methods := range c.paths {
		operations += len(methods.(map[string]any))
	}
	return operations, len(c.paths)
}
