package rest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"gantry/connectors/web"
)

// Bounds of an XML document, as package web has them for JSON.
const (
	maxXMLDepth    = 64
	maxXMLElements = 500_000
)

// decodeXML gives a document in the form that web.Decode gives JSON: an element is the object of its elements, by their local names,
// with its attributes as "@name" and its own text as "#text"; one without either is its text; several of one name are a list. Entities
// are those of XML alone: what a document declares is refused.
func decodeXML(raw []byte) (any, error) {
	decoder := xml.NewDecoder(bytes.NewReader(raw))
	decoder.CharsetReader = func(name string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("the encoding %.20q is not taken: only UTF-8 is", web.Clip(name))
	}
	r := &xmlReader{decoder: decoder}
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("the answer is no XML: %w", err)
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, errors.New("the answer has a document type, which is not taken")
		case xml.StartElement:
			root, err := r.element(token, 0)
			if err != nil {
				return nil, err
			}
			return map[string]any{token.Name.Local: root}, r.end()
		}
	}
}

type xmlReader struct {
	decoder  *xml.Decoder
	elements int
}

// end makes sure that nothing follows the document.
func (r *xmlReader) end() error {
	for {
		token, err := r.decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("the answer is no XML: %w", err)
		}
		if text, ok := token.(xml.CharData); ok && len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if _, ok := token.(xml.Comment); !ok {
			return errors.New("text after the XML document")
		}
	}
}

func (r *xmlReader) element(start xml.StartElement, depth int) (any, error) {
	if r.elements++; r.elements > maxXMLElements || depth == maxXMLDepth {
		return nil, fmt.Errorf("the answer has more than %d elements, or nests deeper than %d", maxXMLElements, maxXMLDepth)
	}
	out := map[string]any{}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			out["@"+a.Name.Local] = a.Value
		}
	}
	var text strings.Builder
	for {
		token, err := r.decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("the answer is no XML: %w", err)
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			v, err := r.element(token, depth+1)
			if err != nil {
				return nil, err
			}
			add(out, token.Name.Local, v)
		case xml.EndElement:
			if len(out) == 0 {
				return strings.TrimSpace(text.String()), nil
			}
			if s := strings.TrimSpace(text.String()); s != "" {
				out["#text"] = s
			}
			return out, nil
		}
	}
}

// add puts an element beside those of its name.
func add(into map[string]any, name string, v any) {
	switch there := into[name].(type) {
	case nil:
		into[name] = v
	case []any:
		into[name] = append(there, v)
	default:
		into[name] = []any{there, v}
	}
}
