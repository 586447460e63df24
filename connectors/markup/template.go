package markup

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/sift"
)

// Template is one element of a definition's, in which parameters stand where values go:
//
//	<Order no="{number}"><Note>{title?}</Note><Day>{ordered_at as date}</Day><Line gantry:each="lines"><Item>{item_id}</Item></Line></Order>
//
// A parameter is the whole text of an element or an attribute; ? leaves that out where the value is null. An element with gantry:each stands for
// as many as the input's list has members, and parameters in it are those of the member. What a caller sent is text, whatever it holds.
type Template struct {
	Names
	root *tag
}

// Names are what a template takes from outside.
type Names struct {
	Params   []string
	Lists    map[string][]string // of each list, the parameters of its members
	Filters  []string            // {=column}
	Specials []string            // {$offset}: values of the driver's own
}

// Grammar is what a driver adds.
type Grammar struct {
	Filters  bool     // {=column}: what a query asks of a column; null where it asks nothing
	Specials []string // "$offset"
}

// tag is an element of a template. It is written as its author wrote it, prefixes included.
type tag struct {
	name       string
	attributes []attribute
	each       string // the list for whose members it stands; "": it stands once
	text       value  // of an element without elements
	children   []*tag
}

type attribute struct {
	name string
	text value
}

// value is a fixed text, or a parameter.
type value struct {
	fixed    string
	param    string
	filter   bool // the value that the query asks of a column
	optional bool
	kind     sift.Kind
}

const maxTemplateDepth = 32

var reference = regexp.MustCompile(`^\{(=?)(\$?[a-z][a-z0-9_]*)(\?)?(?: as (text|integer|decimal|boolean|date|datetime))?\}$`)

// CompileTemplate reads one.
func CompileTemplate(text string, g Grammar) (*Template, error) {
	t := &Template{Names: Names{Lists: map[string][]string{}}}
	var err error
	if t.root, err = (&templateReader{g, &t.Names}).read(text); err != nil {
		return nil, err
	}
	return t, nil
}

// templateReader reads a template, and notes its names.
type templateReader struct {
	Grammar
	names *Names
}

func (r *templateReader) read(text string) (*tag, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	var open []*tag
	var root *tag
	list := "" // whose members' element is open
	depth := 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if root != nil && len(open) == 0 || len(open) == maxTemplateDepth {
				return nil, errors.New("must be one element, nested no deeper than 32")
			}
			e, err := r.begin(token, list)
			if err != nil {
				return nil, err
			}
			if e.each != "" {
				if list, depth = e.each, len(open); depth == 0 {
					return nil, errors.New("the outermost element stands once")
				}
			}
			if root == nil {
				root = e
			} else {
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			}
			open = append(open, e)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1].name != qualified(token.Name) {
				return nil, fmt.Errorf("</%s> closes nothing", qualified(token.Name))
			}
			if open = open[:len(open)-1]; len(open) == depth {
				list, depth = "", 0
			}
		case xml.CharData:
			text := strings.TrimSpace(string(token))
			if text == "" {
				continue
			}
			if len(open) == 0 {
				return nil, errors.New("text outside of the element")
			}
			if open[len(open)-1].text, err = r.value(text, list); err != nil {
				return nil, err
			}
		case xml.Directive, xml.ProcInst:
			return nil, errors.New("has neither a declaration nor a document type")
		}
	}
	if root == nil || len(open) > 0 {
		return nil, errors.New("must be one whole element")
	}
	return root, root.check()
}

func qualified(name xml.Name) string {
	if name.Space != "" {
		return name.Space + ":" + name.Local
	}
	return name.Local
}

func (r *templateReader) begin(token xml.StartElement, list string) (*tag, error) {
	e := &tag{name: qualified(token.Name)}
	for _, a := range token.Attr {
		if name := qualified(a.Name); name == "gantry:each" {
			if list != "" || a.Value == "" {
				return nil, errors.New("gantry:each names a list of the input, and is not inside of another one")
			}
			e.each, list = a.Value, a.Value
			if r.names.Lists[list] == nil {
				r.names.Lists[list] = []string{}
			}
		}
	}
	for _, a := range token.Attr {
		name := qualified(a.Name)
		if name == "gantry:each" {
			continue
		}
		text, err := r.value(a.Value, list)
		if err != nil {
			return nil, err
		}
		e.attributes = append(e.attributes, attribute{name, text})
	}
	return e, nil
}

// check refuses an element that has both a text and elements: the system would see them in an order that nobody wrote.
func (e *tag) check() error {
	if len(e.children) > 0 && (e.text.fixed != "" || e.text.param != "") {
		return fmt.Errorf("<%s> has both text and elements", e.name)
	}
	for _, child := range e.children {
		if err := child.check(); err != nil {
			return err
		}
	}
	return nil
}

// value reads a text, and notes the parameter in it.
func (r *templateReader) value(text, list string) (value, error) {
	found := reference.FindStringSubmatch(text)
	if found == nil {
		if strings.ContainsAny(text, "{}") {
			return value{}, fmt.Errorf("%q: a parameter is the whole text of an element: %s", text, r.forms())
		}
		return value{fixed: text}, nil
	}
	v := value{param: found[2], filter: found[1] != "", optional: found[3] != "" || found[1] != "", kind: sift.Text}
	if found[4] != "" {
		v.kind = sift.Kind(found[4])
	}
	special := strings.HasPrefix(v.param, "$")
	switch {
	case special && !slices.Contains(r.Specials, v.param), v.filter && !r.Filters:
		return v, fmt.Errorf("there is no %s; there are %s", text, r.forms())
	case special:
		note(&r.names.Specials, v.param)
	case v.filter:
		note(&r.names.Filters, v.param)
	case list != "":
		params := r.names.Lists[list]
		note(&params, v.param)
		r.names.Lists[list] = params
	default:
		note(&r.names.Params, v.param)
	}
	return v, nil
}

func note(names *[]string, name string) {
	if !slices.Contains(*names, name) {
		*names = append(*names, name)
	}
}

func (r *templateReader) forms() string {
	forms := []string{"{name}", "{name?}", "{name as date}"}
	if r.Filters {
		forms = append(forms, "{=column}")
	}
	for _, special := range r.Specials {
		forms = append(forms, "{"+special+"}")
	}
	return strings.Join(forms, ", ")
}

// Filling is one use of a template.
type Filling struct {
	Vars     connectors.Vars
	Filters  map[string]any
	Specials map[string]any
	Text     func(v any, kind sift.Kind) (string, error) // a value of connectors.Row's types, not null, in the system's form
	Newline  string                                      // between elements, which are indented; "": the document is one line
}

// Write writes the element. An error is a *connectors.Failure: a value that is missing, or that cannot stand there.
func (t *Template) Write(b *strings.Builder, f Filling) error {
	return (&filler{Filling: f, b: b}).write(t.root)
}

type filler struct {
	Filling
	b     *strings.Builder
	at    string // where in the input, for what a person reads
	depth int
}

// of gives a parameter's text; there is false: the element is left out.
func (f *filler) of(v value, name string) (text string, there bool, err error) {
	if v.param == "" {
		return v.fixed, true, nil
	}
	var given any
	known := true
	switch {
	case strings.HasPrefix(v.param, "$"):
		given = f.Specials[v.param]
	case v.filter:
		given = f.Filters[v.param]
	default:
		given, known = f.Vars[v.param]
	}
	switch {
	case !known:
		return "", false, connectors.Misuse("the statement's parameter :%s%s has no value", f.at, v.param)
	case given == nil && v.optional:
		return "", false, nil
	case given == nil || given == "":
		return "", false, connectors.Misuse("%s%s is missing: the system's <%s> must have a value", f.at, v.param, name)
	}
	if text, err = f.Text(given, v.kind); err == nil && strings.ContainsFunc(text, notXML) {
		err = errors.New("has a character that XML cannot carry")
	}
	if err != nil {
		return "", false, connectors.Misuse("%s%s: %w", f.at, v.param, err)
	}
	return text, true, nil
}

func (f *filler) write(e *tag) error {
	if e.each == "" || f.at != "" {
		return f.once(e)
	}
	list, ok := f.Vars[e.each].([]connectors.Vars)
	if !ok && f.Vars[e.each] != nil {
		return connectors.Misuse("%s is no list", e.each)
	}
	outer := f.Vars
	defer func() { f.Vars, f.at = outer, "" }()
	for i, member := range list {
		f.Vars, f.at = member, fmt.Sprintf("%s[%d].", e.each, i)
		if err := f.once(e); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) once(e *tag) error {
	text, there, err := f.of(e.text, e.name)
	if err != nil || !there {
		return err
	}
	if f.depth > 0 {
		f.line()
	}
	f.b.WriteString("<" + e.name)
	for _, a := range e.attributes {
		text, there, err := f.of(a.text, e.name+" "+a.name)
		if err != nil {
			return err
		}
		if there {
			f.b.WriteString(" " + a.name + `="`)
			Escape(f.b, text)
			f.b.WriteString(`"`)
		}
	}
	f.b.WriteString(">")
	Escape(f.b, text)
	f.depth++
	for _, child := range e.children {
		if err := f.write(child); err != nil {
			return err
		}
	}
	if f.depth--; len(e.children) > 0 {
		f.line()
	}
	f.b.WriteString("</" + e.name + ">")
	return nil
}

// line begins a line, where the document has lines. Beside elements no text stands, so that nobody reads what was put between them.
func (f *filler) line() {
	if f.Newline != "" {
		f.b.WriteString(f.Newline + strings.Repeat("  ", f.depth))
	}
}

// Escape writes text as XML's text; a Builder takes everything.
func Escape(b *strings.Builder, text string) { _ = xml.EscapeText(b, []byte(text)) }

// notXML finds what no document of XML 1.0 may hold.
func notXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFD || r == 0xFFFE || r == 0xFFFF
}
