package definition

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// Bounds of an expression: a definition may come from anywhere, and its rules see what callers send.
const (
	maxExpression   = 4000    // bytes of one expression
	maxCost         = 100_000 // CEL's own units for one evaluation
	maxPattern      = 1000    // instructions of a regular expression, as Go's package compiles it
	maxRange        = 10_000  // numbers of lists.range
	interruptChecks = 100     // comprehension steps between two looks at the context
)

// Scope is what an expression sees: `input`, `current`, `row`, `login`, `source` and `result`, those that its place has.
type Scope map[string]any

// Expression is a compiled CEL expression. It is safe for concurrent use.
type Expression struct {
	Text    string
	program cel.Program
	gives   *cel.Type
	login   []string // the members of `login` that it names
}

// environment compiles expressions, each text once: systems share their layers', and what is linted when it is loaded is compiled
// again for its driver. It is safe for concurrent use.
type environment struct {
	env   *cel.Env
	mu    sync.Mutex
	known map[string]*Expression
}

func newEnvironment() (*environment, error) {
	object := cel.MapType(cel.StringType, cel.DynType)
	env, err := cel.NewEnv(
		cel.Variable("input", object), cel.Variable("current", cel.DynType), cel.Variable("row", object),
		cel.Variable("login", object), cel.Variable("source", object), cel.Variable("result", object),
		stringFunctions(), ext.Lists(ext.ListsMaxRangeSize(maxRange)), ext.Math(),
		cel.ParserExpressionSizeLimit(maxExpression), cel.ParserRecursionLimit(64), cel.RegexProgramSizeLimit(maxPattern),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare the expression language: %w", err)
	}
	return &environment{env: env, known: map[string]*Expression{}}, nil
}

func (e *environment) compile(text string) (*Expression, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.known[text]; x != nil {
		return x, nil
	}
	x, err := e.compileAnew(text)
	if err == nil {
		e.known[text] = x
	}
	return x, err
}

func (e *environment) compileAnew(text string) (*Expression, error) {
	checked, issues := e.env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(calls(checked), hasForeignPattern) {
		return nil, errors.New("the pattern of `matches` is not written out: it may not come from a record or a caller")
	}
	program, err := e.env.Program(checked, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(interruptChecks), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	return &Expression{Text: text, program: program, gives: checked.OutputType(), login: loginNames(checked)}, nil
}

// loginNames finds what an expression takes of the login, as `login.name` and as `login["name"]`.
func loginNames(checked *cel.Ast) []string {
	var out []string
	for _, node := range ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), ast.KindMatcher(ast.SelectKind)) {
		if isLogin(node.AsSelect().Operand()) {
			out = append(out, node.AsSelect().FieldName())
		}
	}
	for _, call := range calls(checked) {
		if call.FunctionName() == operators.Index && isLogin(call.Args()[0]) && call.Args()[1].Kind() == ast.LiteralKind {
			if name, ok := call.Args()[1].AsLiteral().Value().(string); ok {
				out = append(out, name)
			}
		}
	}
	return out
}

func calls(checked *cel.Ast) []ast.CallExpr {
	var out []ast.CallExpr
	for _, node := range ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), ast.KindMatcher(ast.CallKind)) {
		out = append(out, node.AsCall())
	}
	return out
}

// hasForeignPattern finds a regular expression whose size nobody knows before it is compiled.
func hasForeignPattern(call ast.CallExpr) bool {
	args := call.Args()
	return call.FunctionName() == overloads.Matches && len(args) > 0 && args[len(args)-1].Kind() != ast.LiteralKind
}

func isLogin(x ast.Expr) bool { return x.Kind() == ast.IdentKind && x.AsIdent() == "login" }

// condition compiles an expression that says yes or no.
func (e *environment) condition(text string) (*Expression, error) {
	x, err := e.compile(text)
	if err == nil && x.gives != cel.BoolType && x.gives != cel.DynType {
		return nil, fmt.Errorf("the condition gives %s, not true or false", x.gives)
	}
	return x, err
}

// Holds evaluates a condition.
func (x *Expression) Holds(ctx context.Context, scope Scope) (bool, error) {
	value, err := x.Value(ctx, scope)
	if err != nil {
		return false, err
	}
	yes, ok := value.(bool)
	if !ok {
		return false, errors.New("the condition is neither true nor false")
	}
	return yes, nil
}

// Value evaluates the expression; the value is nil, bool, int64, float64, string, []byte or time.Time.
func (x *Expression) Value(ctx context.Context, scope Scope) (any, error) {
	out, _, err := x.program.ContextEval(ctx, map[string]any(scope))
	if err != nil {
		return nil, err
	}
	switch v := out.(type) {
	case types.Null:
		return nil, nil
	case types.Uint:
		return int64(v), nil
	}
	return out.Value(), nil
}

// Template is a string in which "${…}" is an expression. One that is a single expression has its value; any other is text.
type Template struct {
	Text  string
	parts []part
}

type part struct {
	literal    string
	expression *Expression
}

// template compiles a string; plain text is a template without expressions.
func (e *environment) template(text string) (*Template, error) {
	t := &Template{Text: text}
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "${")
		if before != "" {
			t.parts = append(t.parts, part{literal: before})
		}
		if !found {
			break
		}
		end := closing(after)
		if end < 0 {
			return nil, errors.New("a ${ has no closing }")
		}
		x, err := e.compile(after[:end])
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{expression: x})
		rest = after[end+1:]
	}
	return t, nil
}

// closing finds the brace that ends an expression: not one inside quotes, nor of a map.
func closing(s string) int {
	depth, quote := 0, rune(0)
	for i, c := range s {
		switch {
		case quote != 0:
			if c == quote && (i == 0 || s[i-1] != '\\') {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
		}
	}
	return -1
}

// Value evaluates the template.
func (t *Template) Value(ctx context.Context, scope Scope) (any, error) {
	if len(t.parts) == 1 && t.parts[0].expression != nil {
		return t.parts[0].expression.Value(ctx, scope)
	}
	var out strings.Builder
	for _, p := range t.parts {
		if p.expression == nil {
			out.WriteString(p.literal)
			continue
		}
		value, err := p.expression.Value(ctx, scope)
		if err != nil {
			return nil, err
		}
		if value != nil {
			fmt.Fprint(&out, value)
		}
	}
	return out.String(), nil
}
