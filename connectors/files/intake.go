package files

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"gantry/connectors"
)

// shelf remembers what was seen of files: since when each is as it is, and which of them were read through and found sound.
type shelf struct {
	mu    sync.Mutex
	seen  map[string]sighting // by path
	sound map[judged]entry
}

type sighting struct {
	entry
	since time.Time
}

type judged struct {
	by   *statement
	path string
}

const maxRemembered = 4 * maxFiles

// sight notes a file, and tells for how long it has been as it is.
func (s *shelf) sight(e entry, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || len(s.seen) > maxRemembered {
		s.seen = map[string]sighting{}
	}
	was, known := s.seen[e.path()]
	if !known || !was.same(e) {
		s.seen[e.path()] = sighting{e, now}
		return 0
	}
	return now.Sub(was.since)
}

func (s *shelf) found(by *statement, e entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, known := s.sound[judged{by, e.path()}]
	return known && was.same(e)
}

func (s *shelf) admit(by *statement, e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sound == nil || len(s.sound) > maxRemembered {
		s.sound = map[judged]entry{}
	}
	s.sound[judged{by, e.path()}] = e
}

// forget makes a file one that was never seen.
func (s *shelf) forget(e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, e.path())
}

// drop is a query's options, rendered.
type drop struct {
	folders                          []string
	pattern                          string
	marker, pending, errors, archive string
	layout                           *layout
}

func (s *statement) drop(vars connectors.Vars) (*drop, error) {
	d := &drop{}
	var err error
	for _, o := range s.folders {
		folder, err := o.folder(vars)
		if err != nil {
			return nil, err
		}
		if folder == "" {
			folder = "."
		}
		d.folders = append(d.folders, folder)
	}
	if d.pattern, err = s.pattern.text(vars); err != nil {
		return nil, err
	}
	if d.marker, err = s.marker.text(vars); err != nil {
		return nil, err
	}
	for _, one := range []struct {
		o    option
		into *string
	}{{s.pending, &d.pending}, {s.errors, &d.errors}, {s.archive, &d.archive}} {
		if *one.into, err = one.o.folder(vars); err != nil {
			return nil, err
		}
	}
	d.layout, err = s.layout.resolve(vars)
	return d, err
}

// intake gives the files whose records the query sees, in their order. Each of them is whole and sound.
func (c *call) intake(s *statement, d *drop) ([]entry, error) {
	for {
		found, err := c.find(s, d)
		if err != nil {
			return nil, err
		}
		ready, wait := c.ready(s, d, found)
		if len(ready) == 0 && wait > 0 {
			if err := c.sleep(wait); err != nil {
				return nil, err
			}
			continue
		}
		if s.newest && len(ready) == 0 {
			return nil, answered(statusAbsent, "there is no file %s in %s", d.pattern, strings.Join(d.folders, ", "))
		}
		for _, e := range ready {
			if err := c.judge(s, d, e); err != nil {
				return nil, err
			}
		}
		if s.newest && d.archive != "" && len(ready) == 1 {
			c.tidy(s, d, found, ready[0])
		}
		return ready, nil
	}
}

// listing is what lies in the folders: the files that the query asks for, in order, and the names of all.
type listing struct {
	files []entry
	names map[string]bool
}

func (c *call) find(s *statement, d *drop) (listing, error) {
	out := listing{names: map[string]bool{}}
	for _, folder := range d.folders {
		all, err := c.place.list(folder)
		if d.pending != "" && errors.Is(err, fs.ErrNotExist) {
			continue // the folder of copies is made with the first of them
		}
		if err != nil {
			return out, err
		}
		if len(all) > maxFiles {
			return out, answered(statusFull, "the folder %s has more than %d files: move old ones away, or give the login an archive folder", folder, maxFiles)
		}
		c.progress()
		for _, e := range all {
			out.names[strings.ToLower(e.path())] = true
			if matches(d.pattern, e.name) && !temporary(e.name) && (d.marker == "" || !strings.HasSuffix(e.name, d.marker)) {
				out.files = append(out.files, e)
			}
		}
	}
	if err := c.hidePending(d, &out); err != nil {
		return out, err
	}
	slices.SortFunc(out.files, func(a, b entry) int { return strings.Compare(s.place(a), s.place(b)) })
	return out, nil
}

// hidePending takes out the copies of files that were never sent.
func (c *call) hidePending(d *drop, found *listing) error {
	if d.pending == "" || len(found.files) == 0 {
		return nil
	}
	waiting, err := c.place.list(d.pending)
	if err != nil {
		return err
	}
	unsent := map[string]bool{}
	for _, e := range waiting {
		unsent[e.name] = true
	}
	found.files = slices.DeleteFunc(found.files, func(e entry) bool { return unsent[e.name+temporaryEnd] })
	return nil
}

// place is the value of $file: where a file stands in the order of all.
func (s *statement) place(e entry) string {
	if s.byTime {
		return e.modified.UTC().Format("20060102T150405.000000000Z") + " " + e.name
	}
	return e.name
}

// ready gives the files that nobody writes any more: of a snapshot the newest, of events those before the first that is
// written. wait is how long another one needs to show that it is whole.
func (c *call) ready(s *statement, d *drop, found listing) (ready []entry, wait time.Duration) {
	now := time.Now()
	files := slices.Clone(found.files)
	if s.newest {
		slices.Reverse(files)
	}
	lefts := make([]time.Duration, len(files)) // all are looked at, so that they wait at the same time
	for i, e := range files {
		if d.marker == "" {
			lefts[i] = s.settle - c.conn.shelf.sight(e, now)
		}
	}
	for i, e := range files {
		left := lefts[i]
		switch marked := d.marker == "" || found.names[strings.ToLower(e.path()+d.marker)]; {
		case marked && left <= 0:
			if ready = append(ready, e); s.newest {
				return ready, 0
			}
		case !s.newest:
			return ready, left
		case marked && (wait == 0 || left < wait):
			wait = left
		}
	}
	return ready, wait
}

// judge reads a file through, once, and puts it away where it is not sound.
func (c *call) judge(s *statement, d *drop, e entry) error {
	if c.conn.shelf.found(s, e) {
		return nil
	}
	err := c.readThrough(s, d, e)
	if errors.Is(err, errBusy) {
		c.conn.shelf.forget(e)
	}
	bad, ok := errors.AsType[*malformed](err)
	if !ok {
		if err == nil {
			c.conn.shelf.admit(s, e)
		}
		return err
	}
	f := named(answered(statusMalformed, "%s", bad.text), e, bad.line)
	if d.errors != "" {
		f.Source["moved"] = c.quarantine(d, e, f.Message)
	}
	return f
}

func (c *call) readThrough(s *statement, d *drop, e entry) error {
	keys := newKeys(s)
	return c.scan(s, d, e, func(row connectors.Row, line int) error { return keys.add(row, line) })
}

// keys finds a key that stands in a file twice. It keeps a hash of 64 bits of each: one in ten million files of the largest size
// would be taken for one with a key twice.
type keys struct {
	of   []string
	seed maphash.Seed
	seen map[uint64]struct{}
}

func newKeys(s *statement) *keys {
	return &keys{of: s.unique, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
}

func (k *keys) add(row connectors.Row, line int) error {
	if len(k.of) == 0 {
		return nil
	}
	var h maphash.Hash
	h.SetSeed(k.seed)
	for _, name := range k.of {
		if row[name] == nil {
			return badLine(line, "%s, which tells records apart, is empty", name)
		}
		fmt.Fprintf(&h, "%v\x00", row[name])
	}
	sum := h.Sum64()
	if _, twice := k.seen[sum]; twice {
		return badLine(line, "the file has a record with the same %s before: %v", strings.Join(k.of, ", "), row[k.of[0]])
	}
	if len(k.seen) == maxKeys {
		return badLine(line, "more than %d records", maxKeys)
	}
	k.seen[sum] = struct{}{}
	return nil
}

// quarantine moves a file that is not sound out of the way, with what is wrong with it beside it.
func (c *call) quarantine(d *drop, e entry, why string) bool {
	to, err := c.away(d.errors, e)
	if err == nil {
		err = c.place.write(to+".error.txt", []byte(why+"\r\n"))
	}
	if err != nil {
		c.conn.logger.WarnContext(c.ctx, "quarantine failed", "file", e.path(), "error", err)
	}
	return to != ""
}

// away moves a file into a folder, under another name if its own is taken; "": it could not be moved.
func (c *call) away(folder string, e entry) (string, error) {
	if err := c.place.makeFolder(folder); err != nil {
		return "", err
	}
	to := path.Join(folder, e.name)
	err := c.place.rename(e.path(), to)
	if err != nil {
		end := path.Ext(e.name)
		to = path.Join(folder, strings.TrimSuffix(e.name, end)+time.Now().UTC().Format("~20060102T150405.000000")+end)
		err = c.place.rename(e.path(), to)
	}
	if err != nil {
		return "", err
	}
	return to, nil
}

// tidy moves the snapshots that a newer one replaced into the archive.
func (c *call) tidy(_ *statement, d *drop, found listing, newest entry) {
	for _, e := range found.files {
		if e.same(newest) && e.folder == newest.folder {
			return // what comes after it is newer, and not whole yet
		}
		if c.ctx.Err() != nil {
			return
		}
		if _, err := c.away(d.archive, e); err != nil {
			c.conn.logger.WarnContext(c.ctx, "archiving failed", "file", e.path(), "error", err)
			return
		}
	}
}

// scan reads a file record by record. The row is lent; an error of fn ends it.
func (c *call) scan(s *statement, d *drop, e entry, fn func(connectors.Row, int) error) error {
	file, now, err := c.place.open(e.path())
	if err != nil {
		return err
	}
	defer file.Close()
	if !now.same(e) {
		return c.changed(e)
	}
	source := &watched{call: c, r: file}
	records, err := newDecoder(source, d.layout, s.columns)
	if err != nil {
		return source.cause(err)
	}
	row := make(connectors.Row, len(s.columns))
	for {
		fields, line, err := records.next()
		if errors.Is(err, io.EOF) {
			if !d.layout.gzip && source.count != e.size {
				return c.changed(e)
			}
			return nil
		}
		if err != nil {
			return source.cause(err)
		}
		if err := s.fill(row, d.layout, e, fields, line); err != nil {
			return err
		}
		if err := fn(row, line); err != nil {
			return err
		}
	}
}

// changed says that a file is not the one that was judged.
func (c *call) changed(e entry) error {
	c.conn.shelf.forget(e)
	f := named(answered(statusChanged, "the file changed while it was read"), e, 0)
	f.After = time.Second
	return f
}

// fill makes a row of a record.
func (s *statement) fill(row connectors.Row, l *layout, e entry, fields []string, line int) error {
	for i := range s.columns {
		c := &s.columns[i]
		switch c.source {
		case sourceFile:
			row[c.name] = s.place(e)
		case sourceLine:
			row[c.name] = int64(line)
		case sourceModified:
			row[c.name] = e.modified
		default:
			v, err := l.value(c, fields[i])
			if err != nil {
				return badLine(line, "%s: %.60q %v", c.name, fields[i], err)
			}
			row[c.name] = v
		}
	}
	return nil
}

// watched reads a file for a call: it ends with it, and tells it of each piece that came.
type watched struct {
	call  *call
	r     io.Reader
	count int64
	err   error
}

func (w *watched) Read(p []byte) (int, error) {
	if w.call.ctx.Err() != nil {
		w.err = context.Cause(w.call.ctx)
		return 0, w.err
	}
	n, err := w.r.Read(p)
	w.count += int64(n)
	w.call.progress()
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// cause gives the error of the way to the file before anything that a decoder made of it.
func (w *watched) cause(err error) error {
	if w.err != nil {
		return w.err
	}
	return err
}
