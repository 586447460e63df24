// Package logfile writes a program's log into a file that stays within a size cap, and opens the log that a configuration asks
// for. Both programs use it, so it lies beside the configuration that describes it.
//
// The log is one file that grows, and beside it those that it was before, numbered in the order in which they ended:
//
//	agent-000007.log   agent-000008.log   agent.log
//
// A file is renamed once, when it is full, and never written again: whoever reads the folder meanwhile, or follows it, sees
// each line once and in order (Files), and no clock decides what is older. The number of files is the cap.
//
// One process writes at a time: the lock of its data folder sees to that. A line is one write, so that a crash can tear only the
// last; what was rotated is on the disk (fsync). On Windows a file that somebody else holds open cannot be renamed: the log then goes on in
// it, up to twice its size, rather than losing lines; Open reads a log in the way that does not stand in its writer's way.
//
// The usual library for this, lumberjack, fits less: it keeps a goroutine that nobody can end, refuses a line over the cap, prunes
// some time after it rotates, and on Windows fails every write while somebody holds the file.
//
// The package never starts a goroutine, and never logs: what goes wrong with the log is for the caller to say.
package logfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// mode lets the host's log readers (group adm, systemd-journal) in where the folder does.
const mode = 0o640

// lookAgain is how often a writer looks whether the path still names its file: somebody may have moved it away.
const lookAgain = time.Second

// File is the log's end that is written to. It is safe for concurrent use.
type File struct {
	path    string
	maxSize int64
	keep    int

	mu     sync.Mutex
	file   *os.File
	size   int64
	limit  int64 // size at which the next rotation is tried: maxSize, more after one that failed
	looked time.Time
}

// Create opens the log at path for writing, behind what stands there, and makes its folder if need be. A file holds up to
// maxSize bytes; keep of those that were full are kept beside it.
func Create(path string, maxSize int64, keep int) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("make log folder: %w", err)
	}
	f := &File{path: path, maxSize: maxSize, keep: keep, limit: maxSize}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return f, nil
}

// open takes the file that the path names. A line that a crash tore gets its end.
func (f *File) open() error {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, mode)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size, f.looked = file, info.Size(), time.Now()
	last := []byte{'\n'}
	if f.size > 0 {
		if _, err := file.ReadAt(last, f.size-1); err != nil {
			return errors.Join(err, f.shut())
		}
	}
	if last[0] != '\n' {
		n, err := file.Write([]byte{'\n'})
		f.size += int64(n)
		return err
	}
	return nil
}

// shut closes the file without the wait of an fsync.
func (f *File) shut() error {
	err := f.file.Close()
	f.file = nil
	return err
}

// Write implements io.Writer: p is a whole line.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(int64(len(p))); err != nil {
		return 0, err
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	return n, err
}

// ready makes room for a line of n bytes.
func (f *File) ready(n int64) error {
	if f.file != nil && time.Since(f.looked) > lookAgain {
		if err := f.look(); err != nil {
			return err
		}
	}
	if f.file == nil {
		if err := f.open(); err != nil {
			return fmt.Errorf("open log: %w", err)
		}
	}
	if f.size == 0 || f.size+n <= f.limit {
		return nil
	}
	return f.rotate()
}

// look lets go of a file that the path does not name any more, or that was emptied in its place.
func (f *File) look() error {
	f.looked = time.Now()
	there, err := os.Stat(f.path)
	ours, ourErr := f.file.Stat()
	if err != nil || ourErr != nil || !os.SameFile(there, ours) {
		return f.shut()
	}
	f.size = ours.Size()
	return nil
}

// rotate ends the file and begins another. One that cannot be renamed goes on, and is emptied at twice its size: the cap holds.
func (f *File) rotate() error {
	if err := f.look(); err != nil {
		return err
	}
	if f.file == nil { // it was moved away a moment ago
		return f.open()
	}
	_ = f.file.Sync() // a disk that fails here fails the next write, too
	if err := f.shut(); err != nil {
		return err
	}
	renamed := retire(f.path, f.keep)
	if err := f.open(); err != nil {
		return err
	}
	switch {
	case renamed == nil:
		f.limit = f.maxSize
	case f.size >= 2*f.maxSize:
		f.size, f.limit = 0, f.maxSize
		return f.file.Truncate(0)
	default:
		f.limit = f.size + f.maxSize/4
	}
	return nil
}

// Close ends the writing, with what was written on the disk.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	return errors.Join(f.file.Sync(), f.shut())
}

var _ io.WriteCloser = (*File)(nil)
