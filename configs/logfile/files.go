package logfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Files lists the files of the log at path that exist, oldest first; the one that is written to comes last.
func Files(path string) ([]string, error) {
	old, err := rotated(path)
	if err != nil {
		return nil, fmt.Errorf("list log: %w", err)
	}
	var all []string
	for _, n := range old {
		all = append(all, numbered(path, n))
	}
	switch _, err := os.Stat(path); {
	case err == nil:
		all = append(all, path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("list log: %w", err)
	}
	return all, nil
}

// Open opens a file of a log for reading, so that its writer can rename and remove it meanwhile, on Windows as well: what is
// opened through a root shares deletion there, what os.Open opens does not.
func Open(path string) (*os.File, error) {
	return os.OpenInRoot(filepath.Dir(path), filepath.Base(path))
}

// rotated gives the numbers of the files that are full, in order.
func rotated(path string) ([]int, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	stem, extension := parts(path)
	var all []int
	for _, entry := range entries {
		digits, ok := strings.CutPrefix(entry.Name(), filepath.Base(stem)+"-")
		if !ok || !entry.Type().IsRegular() {
			continue
		}
		if digits, ok = strings.CutSuffix(digits, extension); !ok {
			continue
		}
		if n, err := strconv.Atoi(digits); err == nil && n > 0 && len(digits) >= 6 {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, cmp.Compare)
	return all, nil
}

// numbered is the name of a full file.
func numbered(path string, n int) string {
	stem, extension := parts(path)
	return fmt.Sprintf("%s-%06d%s", stem, n, extension)
}

func parts(path string) (stem, extension string) {
	extension = filepath.Ext(path)
	return strings.TrimSuffix(path, extension), extension
}

// retire gives the file at path the next number, and removes the oldest beyond keep. A removal that fails, since somebody reads
// the file on Windows, is made up for by the next.
func retire(path string, keep int) error {
	old, err := rotated(path)
	if err != nil {
		return err
	}
	next := 1
	if len(old) > 0 {
		next = old[len(old)-1] + 1
	}
	if keep == 0 {
		return os.Remove(path)
	}
	if err := os.Rename(path, numbered(path, next)); err != nil {
		return err
	}
	for _, n := range old[:max(len(old)+1-keep, 0)] {
		_ = os.Remove(numbered(path, n))
	}
	return nil
}
