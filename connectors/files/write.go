package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"gantry/connectors"
	"gantry/connectors/sift"
)

// temporaryEnd is what a file's name has more until it is whole.
const temporaryEnd = ".tmp"

// outbound is a file that is to be written.
type outbound struct {
	folder, name string
	sent         string // the folder of copies; "": none
	absent       string // a pattern; "": none
	data         []byte
	renaming     bool // the receiver may see it
}

// outbound renders a write. Everything that can be wrong with its values is found here, before anything is sent.
func (s *statement) outbound(vars connectors.Vars) (*outbound, error) {
	out := &outbound{}
	var err error
	if out.folder, err = s.folders[0].folder(vars); err != nil {
		return nil, err
	}
	if out.folder == "" {
		out.folder = "."
	}
	if out.name, err = s.pattern.text(vars); err != nil {
		return nil, err
	}
	if len(out.name) > 200 {
		return nil, connectors.Misuse("the file's name would have more than 200 characters")
	}
	if out.sent, err = s.sent.folder(vars); err != nil {
		return nil, err
	}
	if out.absent, err = s.absent.text(vars); err != nil {
		return nil, err
	}
	l, err := s.layout.resolve(vars)
	if err != nil {
		return nil, err
	}
	if s.layout.format == formatXML {
		out.data, err = s.xml(l, vars)
		return out, err
	}
	text, err := s.text(l, vars)
	if err != nil {
		return nil, err
	}
	out.data = []byte(text)
	if l.encoding != nil {
		if out.data, err = l.encoding.NewEncoder().Bytes(out.data); err != nil {
			return nil, connectors.Misuse("a value has a character that the file's encoding does not have")
		}
	}
	return out, nil
}

// text gives the whole file: its header, and a line for the record or for each member of its list.
func (s *statement) text(l *layout, vars connectors.Vars) (string, error) {
	w := &writer{l: l, end: l.lineEnd()}
	if l.header && l.format == formatCSV {
		w.line(l.names)
	}
	members := []connectors.Vars{nil}
	if s.each != "" {
		list, ok := vars[s.each].([]connectors.Vars)
		if !ok && vars[s.each] != nil {
			return "", connectors.Misuse("%s is no list", s.each)
		}
		if members = list; len(members) == 0 {
			return "", connectors.Misuse("%s is empty: there would be no line in the file", s.each)
		}
	}
	for i, member := range members {
		if err := s.line(w, vars, member, i); err != nil {
			return "", err
		}
		if w.b.Len() > maxOutbound {
			return "", connectors.Misuse("the file would have more than %d bytes", maxOutbound)
		}
	}
	if l.trailer != "" {
		w.b.WriteString(l.trailer + w.end)
	}
	return w.b.String(), nil
}

func (s *statement) line(w *writer, vars, member connectors.Vars, index int) error {
	fields := make([]string, len(s.columns))
	for i := range s.columns {
		c := &s.columns[i]
		from, where := vars, ""
		if c.member != "" {
			from, where = member, fmt.Sprintf("%s[%d].", s.each, index)
		}
		v, known := from[c.name]
		if !known {
			return connectors.Misuse("the statement's parameter :%s%s has no value", where, c.name)
		}
		var err error
		if fields[i], err = w.l.text(c, v); err != nil {
			return connectors.Misuse("%s%s: %w", where, c.name, err)
		}
		if err := w.fits(c, fields[i]); err != nil {
			return connectors.Misuse("%s%s: %w", where, c.name, err)
		}
	}
	if w.l.format == formatFixed {
		w.fixed(s.columns, fields)
		return nil
	}
	w.line(fields)
	return nil
}

// writer puts lines together.
type writer struct {
	l   *layout
	b   strings.Builder
	end string
}

// fits refuses a value that the file's form cannot carry; nothing is ever cut off.
func (w *writer) fits(c *column, field string) error {
	switch {
	case !utf8.ValidString(field) || strings.ContainsRune(field, 0):
		return errors.New("is no text")
	case w.l.format == formatFixed && utf8.RuneCountInString(field) > c.width:
		return fmt.Errorf("has more than %d characters", c.width)
	case (w.l.format == formatFixed || !w.l.quotes) && strings.ContainsAny(field, "\r\n"):
		return errors.New("has more than one line, which the file's form cannot carry")
	case w.l.format == formatCSV && !w.l.quotes && strings.ContainsRune(field, w.l.separator):
		return fmt.Errorf("has the separator %q in it, which the file's form cannot carry", w.l.separator)
	}
	return nil
}

// line writes CSV, as RFC 4180 quotes it.
func (w *writer) line(fields []string) {
	for i, field := range fields {
		if i > 0 {
			w.b.WriteRune(w.l.separator)
		}
		special := strings.ContainsRune(field, w.l.separator) || strings.ContainsAny(field, "\"\r\n") || strings.TrimSpace(field) != field
		if special && w.l.quotes {
			field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
		}
		w.b.WriteString(field)
	}
	w.b.WriteString(w.end)
}

// fixed writes a line of fixed width: numbers to the right, everything else to the left.
func (w *writer) fixed(columns []column, fields []string) {
	at := 1
	for i, c := range columns {
		w.b.WriteString(strings.Repeat(" ", c.at-at))
		blanks := strings.Repeat(" ", c.width-utf8.RuneCountInString(fields[i]))
		if c.kind == sift.Decimal || c.kind == sift.Integer {
			w.b.WriteString(blanks + fields[i])
		} else {
			w.b.WriteString(fields[i] + blanks)
		}
		at = c.at + c.width
	}
	w.b.WriteString(w.end)
}

// send writes the file so that its receiver sees all of it or nothing, and so that after a crash one knows which.
func (c *call) send(out *outbound) error {
	if err := c.isNew(out); err != nil {
		return err
	}
	final := path.Join(out.folder, out.name)
	temporary := final + temporaryEnd
	if err := c.place.write(temporary, out.data); err != nil {
		return errors.Join(err, c.undo(temporary))
	}
	c.progress()
	if out.sent != "" {
		kept := path.Join(out.sent, out.name)
		if err := c.keep(out, kept); err != nil {
			return errors.Join(err, c.undo(temporary))
		}
	}
	if err := c.ctx.Err(); err != nil {
		return context.Cause(c.ctx)
	}
	out.renaming = true
	if err := c.place.rename(temporary, final); err != nil {
		if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) {
			out.renaming = false // the peer said no
		}
		return err
	}
	return nil
}

// keep makes the copy. One that is there already belongs to a write that came to nothing: its file still has its temporary
// name, or isNew had found it.
func (c *call) keep(out *outbound, kept string) error {
	if err := c.place.makeFolder(out.sent); err != nil {
		return err
	}
	if err := c.place.write(kept+temporaryEnd, out.data); err != nil {
		return err
	}
	c.progress()
	err := c.place.rename(kept+temporaryEnd, kept)
	if errors.Is(err, fs.ErrExist) {
		if err = c.place.remove(kept); err == nil {
			err = c.place.rename(kept+temporaryEnd, kept)
		}
	}
	return err
}

// undo takes a temporary file away, as far as that goes.
func (c *call) undo(name string) error {
	if err := c.place.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.conn.logger.WarnContext(c.ctx, "temporary file is left", "file", name, "error", err)
	}
	return nil
}

// isNew refuses a write whose file, or one that must be absent, was sent before.
func (c *call) isNew(out *outbound) error {
	folders := []string{out.folder}
	if out.sent != "" {
		folders = append(folders, out.sent)
	}
	unsent := map[string]bool{}
	for i, folder := range folders {
		all, err := c.place.list(folder)
		if errors.Is(err, fs.ErrNotExist) && i > 0 {
			continue // it is made with the first copy
		}
		if err != nil {
			return err
		}
		if len(all) > maxFiles {
			return answered(statusFull, "the folder %s has more than %d files: move old ones away", folder, maxFiles)
		}
		c.progress()
		for _, e := range all {
			if i == 0 && strings.HasSuffix(e.name, temporaryEnd) {
				unsent[strings.TrimSuffix(e.name, temporaryEnd)] = true
			}
		}
		for _, e := range all {
			taken := strings.EqualFold(e.name, out.name) || out.absent != "" && matches(out.absent, e.name)
			if taken && !temporary(e.name) && (i == 0 || !unsent[e.name]) {
				return named(answered(statusExists, "a file for it is there already"), e, 0)
			}
		}
	}
	return nil
}

// outcome says of a failure whether the receiver may have the file all the same.
func (out *outbound) outcome(err error) error {
	f, ok := errors.AsType[*connectors.Failure](err)
	if !out.renaming {
		return err
	}
	if !ok { // the caller gave up while the file was renamed
		f = &connectors.Failure{Kind: connectors.Lost, Message: "the call was given up while the file was renamed", Source: map[string]any{}, Err: err}
	} else {
		same := *f
		f = &same
	}
	if f.Kind == connectors.Answered {
		f.Kind = connectors.Lost
	}
	f.Sent = true
	return f
}
