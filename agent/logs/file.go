package logs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"gantry/configs/logfile"
)

// openFile reads the log's files as far as lines are wanted, newest file first, and gives what follows them. nil: the agent logs
// into no file.
func openFile(ctx context.Context, places Places, o Options) (*past, follower) {
	if places.File == "" {
		return nil, nil
	}
	p := &past{looked: Looked{Where: places.File}}
	files, err := logfile.Files(places.File)
	if err != nil {
		p.looked.fails(err)
	} else if len(files) == 0 {
		p.looked.Problem = "there is no such file"
	}
	next := &fileFollower{path: places.File, options: o, reader: reader{source: FromFile}}
	for i := len(files) - 1; i >= 0 && len(p.lines) < o.Last && ctx.Err() == nil; i-- {
		lines, err := next.read(files[i], o.Last-len(p.lines), i == len(files)-1)
		if err != nil {
			p.looked.fails(err)
			continue
		}
		p.lines = slices.Concat(lines, p.lines)
	}
	p.looked.Lines = len(p.lines)
	return p, next
}

// read gives the last n wanted lines of a file. The newest one it keeps open, to follow from where it read to.
func (f *fileFollower) read(path string, n int, newest bool) ([]Line, error) {
	file, err := logfile.Open(path)
	if err != nil {
		return nil, err
	}
	follow := newest && f.options.Follow
	if !follow {
		defer file.Close() //nolint:errcheck // it was only read
	}
	if info, err := file.Stat(); err == nil && !newest && info.ModTime().Before(f.options.Since) {
		return nil, nil
	}
	pieces := &lines{in: bufio.NewReaderSize(file, maxLine)}
	own := reader{source: FromFile}
	var ring []Line
	take := func(text string) {
		line := own.line(text)
		if !f.options.wants(line) {
			return
		}
		if len(ring) >= 2*n { // room for n more before the next move
			ring = append(ring[:0], ring[len(ring)-n:]...)
		}
		ring = append(ring, line)
	}
	for {
		text, err := pieces.next()
		if err != nil {
			break // what follows a fault of the disk is not there for us
		}
		take(text)
	}
	if follow {
		f.file, f.reader, f.offset, f.rest = file, own, pieces.taken, pieces.partial
	} else if len(pieces.partial) > 0 { // torn by a crash
		take(string(pieces.partial))
	}
	return ring[max(len(ring)-n, 0):], nil
}

// lines cuts a stream into lines, each of at most maxLine bytes.
type lines struct {
	in      *bufio.Reader
	taken   int64  // bytes of the stream that were read
	partial []byte // of a line that has no end yet
}

// next gives a whole line without its end. io.EOF: there is none now.
func (l *lines) next() (string, error) {
	for {
		piece, err := l.in.ReadSlice('\n')
		l.taken += int64(len(piece))
		if room := maxLine - len(l.partial); room > 0 {
			l.partial = append(l.partial, piece[:min(len(piece), room)]...)
		}
		switch {
		case err == nil:
			text := strings.TrimRight(string(bytes.ToValidUTF8(l.partial, []byte("?"))), "\r\n")
			l.partial = l.partial[:0]
			return text, nil
		case errors.Is(err, bufio.ErrBufferFull): // the rest of a long line is read and left out
		default:
			return "", err
		}
	}
}

// fileFollower reads what comes, across rotations.
type fileFollower struct {
	path    string
	options Options
	reader  reader

	file   *os.File
	offset int64
	rest   []byte
}

// follow implements follower.
func (f *fileFollower) follow(ctx context.Context, out chan<- Line) {
	defer func() {
		if f.file != nil {
			_ = f.file.Close()
		}
	}()
	ticker := time.NewTicker(f.options.Poll)
	defer ticker.Stop()
	for {
		next := f.next() // looked for before the drain: what was rotated by then is read to its end
		if !f.drain(ctx, out) {
			if next != nil {
				_ = next.Close()
			}
			return
		}
		if next != nil {
			f.move(next)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// drain sends what the file has behind offset; false: nobody listens any more.
func (f *fileFollower) drain(ctx context.Context, out chan<- Line) bool {
	if f.file == nil {
		return ctx.Err() == nil
	}
	if info, err := f.file.Stat(); err == nil && info.Size() < f.offset { // emptied in its place
		f.offset, f.rest = 0, nil
	}
	section := io.NewSectionReader(f.file, f.offset, 1<<62)
	pieces := &lines{in: bufio.NewReaderSize(section, maxLine), partial: f.rest}
	start := f.offset
	for {
		text, err := pieces.next()
		f.offset, f.rest = start+pieces.taken, pieces.partial
		if err != nil {
			return ctx.Err() == nil
		}
		line := f.reader.line(text)
		if !f.options.wants(line) {
			continue
		}
		select {
		case out <- line:
		case <-ctx.Done():
			return false
		}
	}
}

// next opens the file that comes after the one in hand; nil: there is none yet. The name of the file that is written to belongs to
// another after each rotation, so the name is looked up once more behind the open.
func (f *fileFollower) next() *os.File {
	path := f.after()
	if path == "" {
		return nil
	}
	file, err := logfile.Open(path)
	if err != nil {
		return nil // it is looked for again
	}
	info, err := file.Stat()
	if there, errThere := os.Stat(f.after()); err != nil || errThere != nil || !os.SameFile(info, there) {
		_ = file.Close()
		return nil
	}
	return file
}

// after names the file that comes after the one in hand; empty: none. A file that was moved elsewhere is followed by the one that is
// written to now.
func (f *fileFollower) after() string {
	files, err := logfile.Files(f.path)
	switch {
	case err != nil || len(files) == 0:
		return ""
	case f.file == nil:
		return files[0]
	}
	switch at := f.position(files); at {
	case len(files) - 1:
		return ""
	case -1:
		return files[len(files)-1]
	default:
		return files[at+1]
	}
}

// move takes the next file in hand.
func (f *fileFollower) move(next *os.File) {
	if f.file != nil {
		_ = f.file.Close()
	}
	f.file, f.offset, f.rest = next, 0, nil
}

// position finds the file in hand among files; -1: it is gone.
func (f *fileFollower) position(files []string) int {
	ours, err := f.file.Stat()
	if err != nil {
		return -1
	}
	return slices.IndexFunc(files, func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && os.SameFile(info, ours)
	})
}
