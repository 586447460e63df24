package markup

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/antchfx/xmlquery"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// Bounds of what is held of a document at once: of Parse the whole, of a Reader one record, or what stands beside the records in a parent.
const (
	maxDepth      = 64
	maxNodes      = 50_000
	maxDocument   = 400_000 // nodes of a document that is read whole
	maxAttributes = 256
	maxName       = 256
)

// Fault is what is wrong with a document.
type Fault struct {
	Line int
	Text string
}

// Error implements error.
func (f *Fault) Error() string { return fmt.Sprintf("line %d: %s", f.Line, f.Text) }

// Reader streams the records of a document.
type Reader struct {
	decoder *xml.Decoder
	budget  *budget
	route   *Route
	open    *Node // the innermost parent that is open
	level   int   // how many steps of the route are open
	beside  int   // nodes held beside the records
	last    *Node
	ended   bool
}

// NewReader prepares a reader; a record may have so many bytes.
func NewReader(r io.Reader, route *Route, maxRecord int64) *Reader {
	limited := &budget{r: r, left: maxRecord, each: maxRecord}
	return &Reader{decoder: newDecoder(limited), budget: limited, route: route, open: &Node{Type: xmlquery.DocumentNode}}
}

func newDecoder(r io.Reader) *xml.Decoder {
	d := xml.NewDecoder(r)
	d.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		if strings.HasPrefix(strings.ToLower(label), "utf-16") {
			return input, nil // it was decoded by its byte order mark, or nobody could have read the label
		}
		e, err := htmlindex.Get(label)
		if err != nil {
			e, err = ianaindex.IANA.Encoding(label) // code pages of DOS
		}
		if err != nil || e == nil {
			return nil, fmt.Errorf("the encoding %.40q is not known", label)
		}
		return e.NewDecoder().Reader(input), nil
	}
	return d
}

// Next gives the next record and its line; the one before it is lost. io.EOF: there are no more, and the document is whole.
func (r *Reader) Next() (*Node, int, error) {
	if r.last != nil {
		xmlquery.RemoveFromTree(r.last)
		r.last = nil
	}
	for {
		token, err := r.token()
		if err != nil {
			return nil, 0, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			record, line, err := r.start(token)
			if err != nil || record != nil {
				return record, line, err
			}
		case xml.EndElement:
			closed := r.open
			r.open, r.beside = closed.Parent, 0
			xmlquery.RemoveFromTree(closed)
			r.level--
			r.ended = r.level == 0
		case xml.CharData:
			if r.level == 0 && len(bytes.TrimSpace(token)) > 0 {
				return nil, 0, r.fault("text outside of the document's element")
			}
		}
	}
}

// start opens a parent, reads a record, or keeps what stands beside the records.
func (r *Reader) start(token xml.StartElement) (*Node, int, error) {
	if r.ended {
		return nil, 0, r.fault("a second document after the end of the first")
	}
	line, _ := r.decoder.InputPos()
	n, err := element(token)
	if err != nil {
		return nil, 0, r.fault(err.Error())
	}
	onRoute := r.route.steps[r.level] == n.Data
	if r.level == 0 && !onRoute {
		return nil, 0, r.fault(fmt.Sprintf("the document is a %.40s, not a %s", n.Data, r.route.steps[0]))
	}
	xmlquery.AddChild(r.open, n)
	if onRoute && r.level+1 < len(r.route.steps) {
		r.open, r.beside = n, 0
		r.level++
		return nil, 0, nil
	}
	r.budget.renew()
	nodes := 0
	if !onRoute {
		nodes = r.beside
	}
	nodes, err = fill(r.decoder, n, r.level+1, nodes, maxNodes)
	if err != nil {
		return nil, 0, r.named(err)
	}
	if !onRoute {
		r.beside = nodes
		return nil, 0, nil
	}
	if r.level == 0 {
		r.ended = true
	}
	r.last = n
	return n, line, nil
}

func (r *Reader) token() (xml.Token, error) {
	token, err := r.decoder.Token()
	switch {
	case errors.Is(err, io.EOF) && !r.ended:
		return nil, r.fault("the document ends before its element does")
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, r.named(err)
	}
	if _, is := token.(xml.Directive); is {
		return nil, r.fault(errType.Error())
	}
	return token, nil
}

var (
	errType  = errors.New("a document type is refused")
	errLarge = errors.New("a record is larger than the reader takes")
	errDeep  = fmt.Errorf("elements nest deeper than %d", maxDepth)
	errMany  = errors.New("more elements and texts than the reader takes")
)

func (r *Reader) fault(text string) *Fault {
	line, _ := r.decoder.InputPos()
	return &Fault{line, text}
}

// named makes a Fault of what is wrong with the document; an error of whoever gives the bytes stays what it is.
func (r *Reader) named(err error) error {
	syntax, broken := errors.AsType[*xml.SyntaxError](err)
	switch {
	case broken:
		return &Fault{syntax.Line, syntax.Msg}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return r.fault("the document ends before its element does")
	case r.budget != nil && r.budget.failed != nil && !errors.Is(r.budget.failed, errLarge):
		return r.budget.failed
	}
	return r.fault(err.Error())
}

// element makes a node of a tag.
func element(token xml.StartElement) (*Node, error) {
	if len(token.Attr) > maxAttributes || len(token.Name.Local) > maxName {
		return nil, fmt.Errorf("an element has more than %d attributes, or a name of more than %d letters", maxAttributes, maxName)
	}
	n := &Node{Type: xmlquery.ElementNode, Data: token.Name.Local}
	for _, a := range token.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			xmlquery.AddAttr(n, a.Name.Local, a.Value)
		}
	}
	return n, nil
}

// fill reads an element to its end. It gives the number of nodes.
func fill(d *xml.Decoder, n *Node, depth, nodes, most int) (int, error) {
	at := n
	for {
		token, err := d.Token()
		if err != nil {
			return nodes, err
		}
		if nodes++; nodes > most {
			return nodes, errMany
		}
		switch token := token.(type) {
		case xml.Directive:
			return nodes, errType
		case xml.StartElement:
			inner, err := element(token)
			if err != nil {
				return nodes, err
			}
			if depth++; depth > maxDepth {
				return nodes, errDeep
			}
			nodes += len(token.Attr)
			xmlquery.AddChild(at, inner)
			at = inner
		case xml.EndElement:
			if at == n {
				return nodes, nil
			}
			at = at.Parent
			depth--
		case xml.CharData:
			xmlquery.AddChild(at, &Node{Type: xmlquery.TextNode, Data: string(token)})
		}
	}
}

// Parse reads a document whole; its bytes are bounded by whoever has them.
func Parse(document []byte) (*Node, error) {
	r := &Reader{decoder: newDecoder(bytes.NewReader(document))}
	root := &Node{Type: xmlquery.DocumentNode}
	for {
		token, err := r.decoder.Token()
		if errors.Is(err, io.EOF) && root.FirstChild != nil {
			return root, nil
		}
		if err != nil {
			return nil, r.named(err)
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, r.fault(errType.Error())
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				return nil, r.fault("text outside of the document's element")
			}
		case xml.StartElement:
			if root.FirstChild != nil {
				return nil, r.fault("a second document after the end of the first")
			}
			n, err := element(token)
			if err != nil {
				return nil, r.named(err)
			}
			xmlquery.AddChild(root, n)
			if _, err := fill(r.decoder, n, 1, 0, maxDocument); err != nil {
				return nil, r.named(err)
			}
		}
	}
}

// budget bounds how many bytes are read until it is renewed.
type budget struct {
	r          io.Reader
	left, each int64
	failed     error
}

func (b *budget) renew() { b.left = b.each }

// Read implements io.Reader.
func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.failed = errLarge
		return 0, errLarge
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed = err
	}
	return n, err
}
