package markup

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
)

// Element is one element as Walk meets it: the local names from the root to it, and its attributes.
type Element struct {
	Path  []string // lent until the visit ends
	attrs []xml.Attr
}

// Name is the element's own.
func (e Element) Name() string { return e.Path[len(e.Path)-1] }

// Attr gives an attribute by its local name; "": it has none.
func (e Element) Attr(name string) string {
	i := slices.IndexFunc(e.attrs, func(a xml.Attr) bool { return a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return e.attrs[i].Value
}

// Walk visits the elements of a document in their order and keeps none of them: for documents that are large, and of which little is
// wanted. Texts are passed over. An error of visit ends it.
func Walk(document []byte, visit func(Element) error) error {
	r := &Reader{decoder: newDecoder(bytes.NewReader(document))}
	var path []string
	seen := false
	for {
		token, err := r.decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && seen && len(path) == 0:
			return nil
		case err != nil:
			return r.named(err)
		}
		switch token := token.(type) {
		case xml.Directive:
			return r.fault(errType.Error())
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.StartElement:
			switch {
			case len(path) == 0 && seen:
				return r.fault("a second document after the end of the first")
			case len(path) == maxDepth:
				return r.fault(errDeep.Error())
			case len(token.Attr) > maxAttributes || len(token.Name.Local) > maxName:
				return r.fault("an element has too many attributes, or too long a name")
			}
			seen = true
			path = append(path, token.Name.Local)
			if err := visit(Element{path, token.Attr}); err != nil {
				return r.fault(err.Error())
			}
		}
	}
}
