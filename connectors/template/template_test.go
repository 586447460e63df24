package template_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gantry/connectors"
	"gantry/connectors/template"

	"github.com/google/go-cmp/cmp"
)

var grammar = template.Grammar{Kinds: []string{"loud"}, Forms: map[string]template.Form{
	"$upper": func(c *template.Compiler, v map[string]any) (template.Value, error) { return c.Compile(v["$upper"]) },
}}

func encode(v any, kind string) (any, error) {
	if kind != "loud" || v == nil {
		return v, nil
	}
	if s, ok := v.(string); ok {
		return strings.ToUpper(s), nil
	}
	return nil, errors.New("is no text")
}

func parse(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRender(t *testing.T) {
	c := template.NewCompiler(grammar)
	compiled, err := c.Compile(parse(t, `{"a":":a","loud":":a as loud","b?":":none","c":":none","d":"::x","e":7,"f":{"$upper":":a"},
		"lines":["head",{"$each":"lines","$do":{"n":":n"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := template.Names{Params: []string{"a", "none"}, Lists: map[string][]string{"lines": {"n"}}}
	if diff := cmp.Diff(want, c.Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	vars := connectors.Vars{"a": `x", "b": "`, "none": nil, "lines": []connectors.Vars{{"n": int64(1)}, {"n": int64(2)}}}
	got, err := compiled.Render(&template.Rendering{Vars: vars, Encode: encode})
	if err != nil {
		t.Fatal(err)
	}
	expected := map[string]any{"a": `x", "b": "`, "loud": `X", "B": "`, "c": nil, "d": ":x", "e": 7.0, "f": `x", "b": "`,
		"lines": []any{"head", map[string]any{"n": int64(1)}, map[string]any{"n": int64(2)}}}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []connectors.Vars{{}, {"a": int64(1), "none": nil, "lines": nil}, {"a": "x", "none": nil, "lines": "y"}} {
		_, err := compiled.Render(&template.Rendering{Vars: bad, Encode: encode})
		if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Kind != connectors.Misused {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestCompileNamesTheFault(t *testing.T) {
	for text, want := range map[string]string{
		`":A"`: "no parameter", `":a as quiet"`: "as loud", `{"$none":1}`: "there is no $none", `{"$each":"l"}`: "$each",
		`{"$each":"l","$do":{"$each":"m","$do":1}}`: "inside of another one", `[1,[":b as x"]]`: "[1]: [0]",
		strings.Repeat("[", 30) + strings.Repeat("]", 30): "nested deeper",
	} {
		if _, err := template.NewCompiler(grammar).Compile(parse(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; expected %q", text, err, want)
		}
	}
	if _, err := template.NewCompiler(template.Grammar{}).Compile(":a as loud"); err == nil || strings.Contains(fmt.Sprint(err), "as ,") {
		t.Errorf("got %v", err)
	}
}
