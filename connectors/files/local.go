package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"gantry/connectors"
)

// local is a folder of the agent's machine. Nothing outside of it can be reached through it, by no name and no link.
type local struct{ root *os.Root }

var _ place = local{}

func openLocal(folder string, openPath connectors.PathFunc) (place, error) {
	if openPath == nil {
		return nil, connectors.Misuse("no local folder may be opened here")
	}
	real, err := openPath(folder)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(real)
	if err != nil {
		return nil, err
	}
	return local{root}, nil
}

func (l local) list(folder string) ([]entry, error) {
	dir, err := l.root.Open(folder)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	found, err := dir.ReadDir(maxFiles + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var out []entry
	for _, f := range found {
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken away meanwhile
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			out = append(out, entryOf(folder, info))
		}
	}
	return out, nil
}

func entryOf(folder string, info fs.FileInfo) entry {
	return entry{folder, info.Name(), info.Size(), info.ModTime().UTC()}
}

// open opens a file, and nothing else: a pipe would wait for its writer.
func (l local) open(name string) (io.ReadCloser, entry, error) {
	if info, err := l.root.Lstat(name); err != nil {
		return nil, entry{}, err
	} else if !info.Mode().IsRegular() {
		return nil, entry{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := l.root.Open(name)
	if err != nil {
		return nil, entry{}, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, entry{}, err
	}
	return f, entryOf(path.Dir(name), info), nil
}

func (l local) write(name string, data []byte) error {
	if err := l.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := l.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o660) // never through a link
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// rename looks first: a link that fails where the name is taken would be surer, but not every file system of a plant has them.
func (l local) rename(from, to string) error {
	if _, err := l.root.Lstat(to); err == nil {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	return l.root.Rename(from, to)
}

func (l local) remove(name string) error { return l.root.Remove(name) }

func (l local) makeFolder(name string) error { return l.root.MkdirAll(name, 0o770) }

func (l local) version() string { return "local folder" }

func (l local) cut() {}

func (l local) close() { _ = l.root.Close() }
