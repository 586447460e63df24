package api

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"gantry/docs"
	"gantry/relay/openapi"
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

// TestEveryRouteIsDescribed: a route says what it does, in sentences, and how it ends.
func TestEveryRouteIsDescribed(t *testing.T) {
	tags := map[openapi.Tag]bool{}
	for _, group := range groups() {
		tags[group.Tag] = true
	}
	for _, o := range Operations() {
		t.Run(o.Method+" "+o.Path, func(t *testing.T) {
			switch {
			case o.Summary == "" || strings.HasSuffix(o.Summary, "."):
				t.Errorf("the summary should be a few words without a stop: %q", o.Summary)
			case !strings.HasSuffix(o.Text, "."):
				t.Errorf("the text should be sentences: %q", o.Text)
			case !o.Entity && !tags[o.Tag]:
				t.Errorf("the tag %q is not one of groups (describe.go)", o.Tag)
			case len(o.Answers) == 0:
				t.Error("it does not say what it answers")
			case o.Caller.Kind != openapi.Anyone && len(o.Caller.Roles) == 0:
				t.Error("no role may call it")
			}
			for _, a := range o.Answers {
				if a.Text == "" || a.Status < 200 || a.Status > 299 {
					t.Errorf("an answer without words, or of failure: %d %q", a.Status, a.Text)
				}
			}
			for _, p := range append(o.Query, o.Headers...) {
				if p.Text == "" {
					t.Errorf("the parameter %s has no words", p.Name)
				}
			}
		})
	}
}
