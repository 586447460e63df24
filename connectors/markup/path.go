package markup

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/antchfx/xmlquery"
	"github.com/antchfx/xpath"
)

// Node is an element, an attribute or a text of a document.
type Node = xmlquery.Node

// IsElement tells an element from a text.
func IsElement(n *Node) bool { return n.Type == xmlquery.ElementNode }

const maxPath = 300

// Path is an XPath 1.0 expression without prefixes, from an element on: Number, Vendor/@id, ../Number, count(Line).
type Path struct{ expr *xpath.Expr }

// costly is what takes the library time in the square of a record's elements, which are the system's to choose.
var costly = regexp.MustCompile(`\||::|\b(last|position|reverse)\s*\(`)

// CompilePath compiles an expression.
func CompilePath(text string) (*Path, error) {
	if text == "" || len(text) > maxPath {
		return nil, fmt.Errorf("an XPath has 1 to %d characters", maxPath)
	}
	if found := costly.FindString(text); found != "" {
		return nil, fmt.Errorf("an XPath here has no %s", found)
	}
	expr, err := xpath.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("the XPath %q cannot be read: %w", text, err)
	}
	return &Path{expr}, nil
}

// Text gives what an expression comes to: of elements the text of the first. ok is false where there is no such element.
func (p *Path) Text(n *Node) (text string, ok bool, err error) {
	defer func() {
		if broken := recover(); broken != nil { // the library does not promise to judge every expression when it compiles it
			text, ok, err = "", false, fmt.Errorf("the XPath cannot be evaluated: %v", broken)
		}
	}()
	switch v := p.expr.Evaluate(xmlquery.CreateXPathNavigator(n)).(type) {
	case *xpath.NodeIterator:
		if !v.MoveNext() {
			return "", false, nil
		}
		return v.Current().Value(), true, nil
	case string:
		return v, true, nil
	case bool:
		return strconv.FormatBool(v), true, nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true, nil
	}
	return "", false, errors.New("the XPath comes to nothing that has a text")
}

// Nodes gives the elements that an expression finds.
func (p *Path) Nodes(n *Node) (found []*Node, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			found, err = nil, fmt.Errorf("the XPath cannot be evaluated: %v", broken)
		}
	}()
	return xmlquery.QuerySelectorAll(n, p.expr), nil
}

// Route is the way from the root of a document to its records: /Orders/Order.
type Route struct{ steps []string }

var step = regexp.MustCompile(`^[\pL_][\pL\pN_.-]*$`)

// CompileRoute reads a route.
func CompileRoute(text string) (*Route, error) {
	steps := strings.Split(strings.TrimPrefix(text, "/"), "/")
	for _, s := range steps {
		if !step.MatchString(s) {
			return nil, fmt.Errorf("must be the way from the root to a record, such as /Orders/Order, and not %q", text)
		}
	}
	if len(steps) > 16 {
		return nil, errors.New("is longer than 16 steps")
	}
	return &Route{steps}, nil
}
