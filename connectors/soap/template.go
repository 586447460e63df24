package soap

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/sift"
)

// element is an element of a template. It is written as its author wrote it, prefixes included.
type element struct {
	name       string
	attributes []attribute
	each       string // the list for whose members it stands; "": it stands once
	text       value  // of an element without elements
	children   []*element
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

// names are what a template takes from outside.
type names struct {
	params  []string
	lists   map[string][]string
	filters []string
	pages   bool
}

const (
	maxTemplateDepth = 32
	paramOffset      = "$offset"
	paramSize        = "$size"
)

var reference = regexp.MustCompile(`^\{(=?)(\$?[a-z][a-z0-9_]*)(\?)?(?: as (text|integer|decimal|boolean|date|datetime))?\}$`)

// parseTemplate reads a template: one element.
func parseTemplate(text string, n *names) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	var open []*element
	var root *element
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
			e, err := begin(token, n, list)
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
			if open[len(open)-1].text, err = n.value(text, list); err != nil {
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

func begin(token xml.StartElement, n *names, list string) (*element, error) {
	e := &element{name: qualified(token.Name)}
	for _, a := range token.Attr {
		if name := qualified(a.Name); name == "gantry:each" {
			if list != "" || a.Value == "" {
				return nil, errors.New("gantry:each names a list of the input, and is not inside of another one")
			}
			e.each, list = a.Value, a.Value
			if n.lists[list] == nil {
				n.lists[list] = []string{}
			}
		}
	}
	for _, a := range token.Attr {
		name := qualified(a.Name)
		if name == "gantry:each" {
			continue
		}
		text, err := n.value(a.Value, list)
		if err != nil {
			return nil, err
		}
		e.attributes = append(e.attributes, attribute{name, text})
	}
	return e, nil
}

// check refuses an element that has both a text and elements: the system would see them in an order that nobody wrote.
func (e *element) check() error {
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
func (n *names) value(text, list string) (value, error) {
	found := reference.FindStringSubmatch(text)
	if found == nil {
		if strings.ContainsAny(text, "{}") {
			return value{}, fmt.Errorf("%q: a parameter is the whole text of an element: {name}, {name?}, {name as date}, {=column}, {$offset} or {$size}", text)
		}
		return value{fixed: text}, nil
	}
	v := value{param: found[2], filter: found[1] != "", optional: found[3] != "" || found[1] != "", kind: sift.Text}
	if found[4] != "" {
		v.kind = sift.Kind(found[4])
	}
	switch {
	case v.param == paramOffset || v.param == paramSize:
		n.pages = true
	case strings.HasPrefix(v.param, "$"):
		return v, fmt.Errorf("there is no %s; there are $offset and $size", v.param)
	case v.filter:
		n.filters = append(n.filters, v.param)
	case list != "":
		if !slices.Contains(n.lists[list], v.param) {
			n.lists[list] = append(n.lists[list], v.param)
		}
	case !slices.Contains(n.params, v.param):
		n.params = append(n.params, v.param)
	}
	return v, nil
}

// rendering is one use of a template.
type rendering struct {
	b       strings.Builder
	vars    connectors.Vars
	filters map[string]any
	offset  int
	size    int
	at      string // where in the input, for what a person reads
}

// of gives a parameter's text; there is false: the element is left out.
func (r *rendering) of(v value, name string) (text string, there bool, err error) {
	if v.param == "" {
		return v.fixed, true, nil
	}
	var given any
	known := true
	switch {
	case v.param == paramOffset:
		given = int64(r.offset)
	case v.param == paramSize:
		given = int64(r.size)
	case v.filter:
		given = r.filters[v.param]
	default:
		given, known = r.vars[v.param]
	}
	switch {
	case !known:
		return "", false, connectors.Misuse("the statement's parameter :%s%s has no value", r.at, v.param)
	case given == nil && v.optional:
		return "", false, nil
	case given == nil || given == "":
		return "", false, connectors.Misuse("%s%s is missing: the system's <%s> must have a value", r.at, v.param, name)
	}
	if text, err = lexical(given, v.kind); err != nil {
		return "", false, connectors.Misuse("%s%s: %w", r.at, v.param, err)
	}
	return text, true, nil
}

func (r *rendering) write(e *element) error {
	if e.each == "" || r.at != "" {
		return r.once(e)
	}
	list, ok := r.vars[e.each].([]connectors.Vars)
	if !ok && r.vars[e.each] != nil {
		return connectors.Misuse("%s is no list", e.each)
	}
	outer := r.vars
	defer func() { r.vars, r.at = outer, "" }()
	for i, member := range list {
		r.vars, r.at = member, fmt.Sprintf("%s[%d].", e.each, i)
		if err := r.once(e); err != nil {
			return err
		}
	}
	return nil
}

func (r *rendering) once(e *element) error {
	text, there, err := r.of(e.text, e.name)
	if err != nil || !there {
		return err
	}
	r.b.WriteString("<" + e.name)
	for _, a := range e.attributes {
		text, there, err := r.of(a.text, e.name+" "+a.name)
		if err != nil {
			return err
		}
		if there {
			r.b.WriteString(" " + a.name + `="`)
			escape(&r.b, text)
			r.b.WriteString(`"`)
		}
	}
	r.b.WriteString(">")
	escape(&r.b, text)
	for _, child := range e.children {
		if err := r.write(child); err != nil {
			return err
		}
	}
	r.b.WriteString("</" + e.name + ">")
	return nil
}

// escape writes text as XML's text; a Builder takes everything.
func escape(b *strings.Builder, text string) { _ = xml.EscapeText(b, []byte(text)) }

// lexical writes a value as XML Schema's types have it.
func lexical(v any, kind sift.Kind) (string, error) {
	switch v := v.(type) {
	case time.Time:
		if kind == sift.Date {
			return v.Format(time.DateOnly), nil
		}
		return v.Format("2006-01-02T15:04:05.999999999"), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case string:
		if (kind == sift.Decimal || kind == sift.Integer) && !number.MatchString(v) {
			return "", errors.New("is no number")
		}
		if kind == sift.Date || kind == sift.Datetime {
			return "", fmt.Errorf("is no %s", kind)
		}
		if strings.ContainsFunc(v, notXML) {
			return "", errors.New("has a character that XML cannot carry")
		}
		return v, nil
	}
	return "", fmt.Errorf("a %T cannot be sent", v)
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// notXML finds what no document of XML 1.0 may hold.
func notXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFD || r == 0xFFFE || r == 0xFFFF
}
