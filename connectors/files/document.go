package files

import (
	"strconv"
	"strings"

	"golang.org/x/text/encoding"

	"gantry/connectors"
	"gantry/connectors/markup"
	"gantry/connectors/sift"
)

// xml gives the whole file: the declaration, which names the encoding, and the definition's element with the record's values. A character
// that the encoding does not have is written as a reference (&#36600;), which every reader of XML knows.
func (s *statement) xml(l *layout, vars connectors.Vars) ([]byte, error) {
	var b strings.Builder
	end := l.lineEnd()
	b.WriteString(`<?xml version="1.0" encoding="` + l.label + `"?>` + end)
	if l.label == "utf-16le" || l.label == "utf-16be" {
		return nil, connectors.Misuse("encoding: a document of XML in UTF-16 begins with a byte order mark: that is utf-16")
	}
	if err := l.document.Write(&b, markup.Filling{Vars: vars, Text: l.lexical, Newline: end}); err != nil {
		return nil, err
	}
	b.WriteString(end)
	if b.Len() > maxOutbound {
		return nil, connectors.Misuse("the file would have more than %d bytes", maxOutbound)
	}
	if l.encoding == nil {
		return []byte(b.String()), nil
	}
	if _, err := l.encoding.NewEncoder().String(l.written); err != nil { // a name cannot be a reference
		return nil, connectors.Misuse("the document has a character that the file's encoding does not have")
	}
	data, err := encoding.HTMLEscapeUnsupported(l.encoding.NewEncoder()).Bytes([]byte(b.String()))
	if err != nil {
		return nil, connectors.Misuse("the document cannot be written in the file's encoding: %w", err)
	}
	return data, nil
}

func (l *layoutSpec) lineEnd() string {
	if l.newline == "lf" {
		return "\n"
	}
	return "\r\n"
}

// lexical writes a value as the file's other forms have it, but yes and no as XML Schema does.
func (l *layout) lexical(v any, kind sift.Kind) (string, error) {
	if yes, is := v.(bool); is {
		return strconv.FormatBool(yes), nil
	}
	return l.text(&column{kind: kind}, v)
}
