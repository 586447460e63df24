package installer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// folder makes a folder, and gives it its owner and mode.
func (i Installation) folder(p Place) Step {
	return Step{Name: "folder", Line: "make folder " + p.Path + ", " + i.readers(p.Access), Do: func(context.Context) (Undo, error) {
		_, err := os.Lstat(p.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err := os.MkdirAll(p.Path, 0o700); err != nil {
				return nil, err
			}
			_, err := i.secure(p)
			return func(context.Context) error { return discard(p.Path) }, err
		case err != nil:
			return nil, err
		}
		return i.secure(p)
	}}
}

// readers says an access in words.
func (i Installation) readers(a Access) string {
	switch a {
	case ServiceRead:
		return "read by " + i.Spec.Layout.Account
	case ServiceOwn:
		return "for " + i.Spec.Layout.Account + " alone"
	}
	return "read by everybody"
}

// binary copies the program: a service must not depend on a download folder.
func (i Installation) binary() Step {
	to := i.Spec.Layout.Binary
	return Step{Name: "binary", Line: "copy the program to " + to, Do: func(context.Context) (Undo, error) {
		if same, err := sameContent(i.Source, to); err != nil {
			return nil, err
		} else if same {
			return i.secure(Place{to, Program, Public})
		}
		undo, err := replace(to, func(f *os.File) error { return copyFrom(f, i.Source) })
		if err != nil {
			return undo, err
		}
		_, err = i.secure(Place{to, Program, Public})
		return undo, errors.Join(err, relabel(to))
	}}
}

// config writes agent.yaml, or what is new in it.
func (i Installation) config() Step {
	return i.file("config", i.Spec.Layout.Config, ", and keep what is in it", i.Configure)
}

// authorities copies the certificate authorities that the relay's outer TLS needs: the service may not read where a person
// keeps them.
func (i Installation) authorities() Plan {
	if i.Authorities == nil {
		return nil
	}
	return Plan{i.file("authorities", i.Spec.Layout.CAFile(), "", func([]byte) ([]byte, error) { return i.Authorities, nil })}
}

// file writes a file that everybody may read, if it is not as wanted; nil stands for one that is not there.
func (i Installation) file(name, path, note string, wanted func(current []byte) ([]byte, error)) Step {
	return Step{Name: name, Line: "write " + path + note, Do: func(context.Context) (Undo, error) {
		current, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		content, err := wanted(current)
		if err != nil || current != nil && bytes.Equal(current, content) {
			return nil, err
		}
		undo, err := replace(path, func(f *os.File) error { _, err := f.Write(content); return err })
		if err != nil {
			return undo, err
		}
		_, err = i.secure(Place{path, File, Public})
		return undo, err
	}}
}

// tidy removes what a way back would have needed.
func (i Installation) tidy() Step {
	return Step{Name: "tidy", Line: "remove what a way back would have needed", Do: func(context.Context) (Undo, error) {
		var done Undo
		var errs []error
		for _, path := range []string{i.Spec.Layout.Binary, i.Spec.Layout.Config, i.Spec.Layout.CAFile()} {
			removed, err := remove(previous(path))
			if removed != nil {
				done = removed
			}
			errs = append(errs, err)
		}
		return done, errors.Join(errs...)
	}}
}

// previous is where the former content of a file waits until the plan is through.
func previous(path string) string { return path + ".previous" }

// replace puts a new file in the place of an old one, which it keeps beside it: a running program can be renamed on
// every platform, but overwritten on none.
func replace(path string, write func(*os.File) error) (Undo, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new")
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // it was renamed, or is of no use
	if err := errors.Join(write(temp), temp.Sync(), temp.Close()); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	if _, err := remove(previous(path)); err != nil {
		return nil, err
	}
	err = os.Rename(path, previous(path))
	had := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	undo := func(context.Context) error {
		if had {
			return os.Rename(previous(path), path)
		}
		_, err := remove(path)
		return err
	}
	return undo, os.Rename(temp.Name(), path)
}

func copyFrom(to *os.File, path string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // it was only read
	_, err = io.Copy(to, from)
	return err
}

// sameContent tells whether two files hold the same; one that is missing does not.
func sameContent(a, b string) (bool, error) {
	x, err := digest(a)
	if err != nil {
		return false, err
	}
	y, err := digest(b)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && bytes.Equal(x, y), err
}

func digest(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return sum.Sum(nil), nil
}

// remove takes a file or a folder away; nil: there was none.
func remove(path string) (Undo, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return Kept, discard(path)
}
