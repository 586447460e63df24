package files

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gantry/connectors/markup"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decoder reads the records of one file. The fields are those of the statement's columns, in their order, and lent until
// the next call. io.EOF: the file is whole. A *malformed names the line that is not as it should be.
type decoder interface {
	next() (fields []string, line int, err error)
}

// newDecoder prepares to read a file.
func newDecoder(r io.Reader, l *layout, columns []column) (decoder, error) {
	if l.gzip {
		unpacked, err := gzip.NewReader(r)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, onLine(damaged(err), 1)
		}
		r = archive{unpacked}
	}
	r = &capped{r: r, left: maxFile}
	if l.format == formatXML {
		return &xmlDecoder{r: markup.NewReader(unmarked(r), l.records, maxRecord), columns: columns, fields: make([]string, len(columns))}, nil
	}
	text := &budget{r: decoded(r, l), left: maxRecord}
	lines := bufio.NewReaderSize(text, 64<<10)
	skipped, err := skipLines(lines, text, l.skip)
	if err != nil {
		return nil, err
	}
	if l.format == formatFixed {
		return newFixed(lines, text, l, columns, skipped), nil
	}
	return newDelimited(lines, text, l, columns, skipped)
}

// decoded gives the file's text in UTF-8. A byte order mark says more than the definition; it is taken off.
func decoded(r io.Reader, l *layout) io.Reader {
	fallback := transform.Transformer(unicode.UTF8.NewDecoder())
	if l.encoding != nil {
		fallback = l.encoding.NewDecoder()
	}
	return transform.NewReader(r, unicode.BOMOverride(fallback))
}

// unmarked takes the byte order mark off a document, which says its encoding itself.
func unmarked(r io.Reader) io.Reader {
	return transform.NewReader(r, unicode.BOMOverride(transform.Nop))
}

var errTooLarge = fmt.Errorf("the file has more than %d bytes, unpacked", maxFile)

// capped ends a file that is too large: what a small packed file unpacks to has no other end.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, &malformed{0, errTooLarge.Error()}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// archive says of a compressed file that is broken that it is the file that is at fault, and not the way to it.
type archive struct{ r io.Reader }

func (a archive) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	return n, damaged(err)
}

func damaged(err error) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &malformed{0, "the compressed file is damaged or not whole"}
	}
	return err
}

// budget bounds how many bytes one record may take; a buffer that reads ahead has so much more.
type budget struct {
	r    io.Reader
	left int
}

var errLong = fmt.Errorf("a record of more than %d bytes: a quote may be missing", maxRecord)

func (b *budget) renew() { b.left = maxRecord }

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func skipLines(r *bufio.Reader, b *budget, n int) (int, error) {
	for i := range n {
		b.renew()
		if _, err := r.ReadString('\n'); err != nil {
			if errors.Is(err, io.EOF) {
				return i, badLine(i+1, "the file ends before its header")
			}
			return i, onLine(err, i+1)
		}
	}
	return n, nil
}

// onLine puts an error of reading on its line, where it is the file that is at fault.
func onLine(err error, line int) error {
	if found, ok := errors.AsType[*malformed](err); ok {
		if found.line == 0 {
			return &malformed{line, found.text}
		}
		return found
	}
	if errors.Is(err, errLong) {
		return badLine(line, "%v", errLong)
	}
	return err
}

// legible finds a character that the encoding does not have: the decoders put U+FFFD in its place.
func legible(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError)
}

// delimited reads CSV.
type delimited struct {
	csv     *csv.Reader
	budget  *budget
	layout  *layout
	places  []int // of each column in a line; -1: it is no field of the line
	count   int   // fields of a line; 0: the first line says
	names   []string
	line    int
	skipped int
	trailer bool // it was read
	fields  []string
}

func newDelimited(lines *bufio.Reader, b *budget, l *layout, columns []column, skipped int) (decoder, error) {
	b.renew()
	var source io.Reader = lines
	d := &delimited{budget: b, layout: l, skipped: skipped, fields: make([]string, len(columns))}
	if !l.quotes {
		source = &unquoted{lines: lines, separator: l.separator}
	}
	d.csv = csv.NewReader(source)
	d.csv.Comma, d.csv.FieldsPerRecord, d.csv.ReuseRecord = l.separator, -1, true
	if l.header && len(l.names) == 0 {
		names, err := d.read()
		if errors.Is(err, io.EOF) {
			return nil, badLine(skipped+1, "the file is empty: it has no header")
		}
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			d.names = append(d.names, strings.TrimSpace(name))
		}
		d.count = len(d.names)
	} else if len(l.names) > 0 {
		d.names, d.count = l.names, len(l.names)
		if l.header {
			if _, err := d.read(); err != nil {
				return nil, err
			}
		}
	}
	return d, d.place(columns)
}

// place finds the columns in the header.
func (d *delimited) place(columns []column) error {
	for _, c := range columns {
		at := -1
		switch {
		case c.pseudo():
		case c.number > 0:
			at = c.number - 1
			if d.count > 0 && at >= d.count {
				return badLine(max(d.line, 1), "there is no column %s: a line has %d", c.source, d.count)
			}
		default:
			for i, name := range d.names {
				if strings.EqualFold(name, c.source) {
					if at >= 0 {
						return badLine(max(d.line, 1), "the header has %q twice", c.source)
					}
					at = i
				}
			}
			if at < 0 {
				return badLine(max(d.line, 1), "the header has no %q; it has: %.300s", c.source, strings.Join(d.names, ", "))
			}
		}
		d.places = append(d.places, at)
	}
	return nil
}

// read reads one line.
func (d *delimited) read() ([]string, error) {
	d.budget.renew()
	fields, err := d.csv.Read()
	if err != nil {
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, badLine(d.skipped+parse.StartLine, "%v", parse.Err)
		}
		return nil, onLine(err, d.line+1)
	}
	at, _ := d.csv.FieldPos(0)
	d.line = d.skipped + at
	if len(fields) > maxFields {
		return nil, badLine(d.line, "%d fields; no more than %d are read", len(fields), maxFields)
	}
	return fields, nil
}

func (d *delimited) next() ([]string, int, error) {
	fields, err := d.read()
	if err != nil {
		if errors.Is(err, io.EOF) && d.layout.trailer != "" && !d.trailer {
			return nil, d.line, badLine(d.line+1, "the file ends without the line that begins with %q: it is not whole", d.layout.trailer)
		}
		return nil, d.line, err
	}
	if d.trailer {
		return nil, d.line, badLine(d.line, "a line after the one that begins with %q", d.layout.trailer)
	}
	if d.layout.trailer != "" && strings.HasPrefix(fields[0], d.layout.trailer) {
		d.trailer = true
		return d.next()
	}
	if d.count == 0 {
		d.count = len(fields)
	}
	if len(fields) != d.count {
		return nil, d.line, badLine(d.line, "%d fields, and not %d", len(fields), d.count)
	}
	for i, at := range d.places {
		d.fields[i] = ""
		if at < 0 {
			continue
		}
		if at >= len(fields) {
			return nil, d.line, badLine(d.line, "%d fields; there is no number %d", len(fields), at+1)
		}
		if !legible(fields[at]) {
			return nil, d.line, badLine(d.line, "field %d has a character that the file's encoding does not have", at+1)
		}
		d.fields[i] = fields[at]
	}
	return d.fields, d.line, nil
}

// unquoted hides the quotes of a file in which they are letters as others.
type unquoted struct {
	lines     *bufio.Reader
	separator rune
	rest      []byte
	err       error
}

func (u *unquoted) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		var line string
		line, u.err = u.lines.ReadString('\n')
		if u.err != nil && !errors.Is(u.err, io.EOF) {
			return 0, u.err
		}
		if strings.ContainsRune(line, '"') {
			body := strings.TrimRight(line, "\r\n")
			parts := strings.Split(body, string(u.separator))
			for i, part := range parts {
				if strings.ContainsRune(part, '"') {
					parts[i] = `"` + strings.ReplaceAll(part, `"`, `""`) + `"`
				}
			}
			line = strings.Join(parts, string(u.separator)) + line[len(body):]
		}
		u.rest = []byte(line)
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// fixed reads lines of fixed width, counted in characters.
type fixed struct {
	lines   *bufio.Reader
	budget  *budget
	layout  *layout
	columns []column
	last    int // where the last column begins
	line    int
	trailer bool
	fields  []string
}

func newFixed(lines *bufio.Reader, b *budget, l *layout, columns []column, skipped int) *fixed {
	f := &fixed{lines: lines, budget: b, layout: l, columns: columns, line: skipped, fields: make([]string, len(columns))}
	for _, c := range columns {
		f.last = max(f.last, c.at)
	}
	return f
}

func (f *fixed) next() ([]string, int, error) {
	for {
		f.budget.renew()
		text, err := f.lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, f.line, onLine(err, f.line+1)
		}
		if text == "" {
			if f.layout.trailer != "" && !f.trailer {
				return nil, f.line, badLine(f.line+1, "the file ends without the line that begins with %q: it is not whole", f.layout.trailer)
			}
			return nil, f.line, io.EOF
		}
		f.line++
		text = strings.TrimRight(text, "\r\n\x1a") // DOS ends a file with ^Z
		switch {
		case text == "":
			continue
		case f.trailer:
			return nil, f.line, badLine(f.line, "a line after the one that begins with %q", f.layout.trailer)
		case f.layout.trailer != "" && strings.HasPrefix(text, f.layout.trailer):
			f.trailer = true
			continue
		}
		return f.cut(text)
	}
}

// cut divides a line. Its last column may be short, for editors take blanks off the end; one that does not begin is missing.
func (f *fixed) cut(text string) ([]string, int, error) {
	if !legible(text) {
		return nil, f.line, badLine(f.line, "a character that the file's encoding does not have")
	}
	letters := []rune(text)
	if len(letters) < f.last {
		return nil, f.line, badLine(f.line, "%d characters; the last column begins at %d", len(letters), f.last)
	}
	for i, c := range f.columns {
		f.fields[i] = ""
		if c.at > 0 {
			f.fields[i] = strings.TrimSpace(string(letters[c.at-1 : min(c.at-1+c.width, len(letters))]))
		}
	}
	return f.fields, f.line, nil
}

// xmlDecoder reads the records of a document.
type xmlDecoder struct {
	r       *markup.Reader
	columns []column
	fields  []string
}

func (x *xmlDecoder) next() ([]string, int, error) {
	record, line, err := x.r.Next()
	if err != nil {
		if bad, ok := errors.AsType[*markup.Fault](err); ok {
			return nil, bad.Line, &malformed{bad.Line, bad.Text}
		}
		return nil, line, onLine(err, line)
	}
	for i, c := range x.columns {
		x.fields[i] = ""
		if c.path == nil {
			continue
		}
		text, _, err := c.path.Text(record)
		if err != nil {
			return nil, line, badLine(line, "%s: %v", c.name, err)
		}
		if !legible(text) {
			return nil, line, badLine(line, "%s has a character that the file's encoding does not have", c.name)
		}
		x.fields[i] = strings.TrimSpace(text)
	}
	return x.fields, line, nil
}
