// Package template is JSON with parameters in it: what definitions of systems that take JSON are written in.
//
//	{party: ":vendor_id", "note?": ":note", lines: [{$each: lines, $do: {item: ":item_id", price: ":price as decimal"}}]}
//
// A text that is ":name" is the parameter itself, typed; ":name as kind" says in which of the Grammar's kinds. "::name" is the
// text ":name". A member whose name ends in ? is left out where its value is null. {$each: list, $do: …} in a list stands for
// as many members as the input's list has, and parameters in it are those of the member. `$custom: true` keeps a place for members
// that no definition names (Extend). Further objects with a $name are
// the driver's own (Grammar.Forms).
//
// What comes out is a value that encoding/json takes. Nothing is ever put together from text, so that no value of a caller can
// become anything but a value. The package never sends anything and knows no driver.
package template

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gantry/connectors"
)

// Value is a compiled template. It is safe for concurrent use.
type Value interface {
	Render(r *Rendering) (any, error)
}

// Rendering is one use of a template. An error of its functions is passed through as it is.
type Rendering struct {
	Vars   connectors.Vars
	Encode func(v any, kind string) (any, error) // a value of connectors.Row's types in the system's form
	Driver any                                   // what the driver's own forms need
}

// Grammar is what a driver adds.
type Grammar struct {
	Kinds []string        // after `as`
	Forms map[string]Form // by the member that marks them: "$find"
}

// Form compiles an object that has the marking member.
type Form func(c *Compiler, object map[string]any) (Value, error)

// Names are what a template takes from outside.
type Names struct {
	Params []string
	Lists  map[string][]string // of each list, the parameters of its members
}

// Compiler compiles the templates of one statement, and gathers the names that they use.
type Compiler struct {
	Names     Names
	grammar   Grammar
	reference *regexp.Regexp
	depth     int
}

const maxDepth = 20

// NewCompiler prepares a compiler.
func NewCompiler(g Grammar) *Compiler {
	pattern := `^:([a-z][a-z0-9_]*)$`
	if len(g.Kinds) > 0 {
		pattern = `^:([a-z][a-z0-9_]*)(?: as (` + strings.Join(g.Kinds, "|") + `))?$`
	}
	return &Compiler{Names: Names{Lists: map[string][]string{}}, grammar: g, reference: regexp.MustCompile(pattern)}
}

// Compile compiles a value of a definition.
func (c *Compiler) Compile(v any) (Value, error) {
	if c.depth == maxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	c.depth++
	defer func() { c.depth-- }()
	switch v := v.(type) {
	case string:
		return c.text(v)
	case []any:
		return c.list(v)
	case map[string]any:
		return c.object(v)
	}
	return literal{v}, nil
}

func (c *Compiler) text(s string) (Value, error) {
	if rest, ok := strings.CutPrefix(s, "::"); ok {
		return literal{":" + rest}, nil
	}
	if !strings.HasPrefix(s, ":") {
		return literal{s}, nil
	}
	parts := c.reference.FindStringSubmatch(s)
	if parts == nil {
		return nil, fmt.Errorf("%q is no parameter: write :name%s", s, c.kinds())
	}
	if !slices.Contains(c.Names.Params, parts[1]) {
		c.Names.Params = append(c.Names.Params, parts[1])
	}
	p := parameter{name: parts[1]}
	if len(parts) > 2 {
		p.kind = parts[2]
	}
	return p, nil
}

func (c *Compiler) kinds() string {
	if len(c.grammar.Kinds) == 0 {
		return ""
	}
	return ", or :name as " + strings.Join(c.grammar.Kinds, ", ")
}

func (c *Compiler) list(v []any) (Value, error) {
	out := make(array, len(v))
	for i, item := range v {
		var err error
		if out[i], err = c.Compile(item); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return out, nil
}

func (c *Compiler) object(v map[string]any) (Value, error) {
	if v["$each"] != nil {
		return c.each(v)
	}
	var out object
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if form := c.grammar.Forms[key]; form != nil {
			return form(c, v)
		}
		if strings.HasPrefix(key, "$") && key != custom && key != customOptional {
			return nil, fmt.Errorf("there is no %s; there are %s", key, strings.Join(c.forms(), ", "))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if strings.HasPrefix(key, custom) {
			continue
		}
		value, err := c.Compile(v[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		name, optional := strings.CutSuffix(key, "?")
		out = append(out, member{name, optional, value})
	}
	return out, nil
}

func (c *Compiler) forms() []string {
	return append([]string{"$each with $do"}, slices.Sorted(maps.Keys(c.grammar.Forms))...)
}

func (c *Compiler) each(v map[string]any) (Value, error) {
	list, _ := v["$each"].(string)
	do, there := v["$do"]
	if list == "" || !there || len(v) != 2 || c.Names.Lists == nil {
		return nil, errors.New("$each names a list of the input, has `$do` beside it, and is not inside of another one")
	}
	inner := &Compiler{Names: Names{Params: c.Names.Lists[list]}, grammar: c.grammar, reference: c.reference, depth: c.depth}
	t, err := inner.Compile(do)
	if err != nil {
		return nil, fmt.Errorf("$each %s: %w", list, err)
	}
	c.Names.Lists[list] = inner.Names.Params
	return each{list, t}, nil
}
