package definition

import (
	"bytes"
	_ "embed"
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Schema is the published JSON Schema of a merged definition.
//
//go:embed schema.json
var Schema []byte

const schemaURL = "https://gantry.invalid/schemas/definition.json"

// compileSchema prepares Schema; it fails only if this package's own file is broken.
func compileSchema() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	return compiler.Compile(schemaURL)
}

// validate checks the shape of a merged definition and names every fault with its place.
func validate(schema *jsonschema.Schema, root *node) Problems {
	err := schema.Validate(root.value())
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return Problems{root.at(nil, "%v", err)}
	}
	var problems Problems
	printer := message.NewPrinter(language.English)
	collect(invalid, func(leaf *jsonschema.ValidationError) {
		problems = append(problems, root.at(leaf.InstanceLocation, "%s", leaf.ErrorKind.LocalizedString(printer)))
	})
	return problems
}

// collect visits the innermost faults: those around them only repeat that something inside is wrong. Of a oneOf every
// branch complains; the deepest one is the branch that the author meant.
func collect(e *jsonschema.ValidationError, visit func(*jsonschema.ValidationError)) {
	if len(e.Causes) == 0 {
		visit(e)
		return
	}
	if keyword := e.ErrorKind.KeywordPath(); len(keyword) > 0 && strings.HasSuffix(keyword[len(keyword)-1], "oneOf") {
		collect(deepest(e.Causes), visit)
		return
	}
	for _, cause := range e.Causes {
		collect(cause, visit)
	}
}

func deepest(causes []*jsonschema.ValidationError) *jsonschema.ValidationError {
	best, depth := causes[0], -1
	for _, cause := range causes {
		if d := reach(cause); d > depth {
			best, depth = cause, d
		}
	}
	return best
}

func reach(e *jsonschema.ValidationError) int {
	far := len(e.InstanceLocation)
	for _, cause := range e.Causes {
		far = max(far, reach(cause))
	}
	return far
}
