package api

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"gantry/docs"
	"gantry/relay/openapi/generator"
)

var update = flag.Bool("update", false, "write the generated files anew")

func TestDocumentIsCurrent(t *testing.T) {
	want, err := generator.Document(generator.Input{
		Root: "../..", Examples: "../openapi/examples", Operations: Operations(), Tags: groups(), Words: words(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("../../docs/openapi.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(docs.OpenAPI, want) {
		t.Error("docs/openapi.json is stale: run `make generate`")
	}
}
