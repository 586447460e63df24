package files

import (
	"io"
	"path"
	"strings"
	"time"
)

// place is a tree of folders, reached by one login. It is used by one call at a time. Names are relative, with slashes.
type place interface {
	// list gives the files of a folder, no more than one beyond maxFiles.
	list(folder string) ([]entry, error)
	open(name string) (io.ReadCloser, entry, error)
	// write makes a file of exactly these bytes; one of that name that is there already is replaced.
	write(name string, data []byte) error
	// rename never replaces: fs.ErrExist.
	rename(from, to string) error
	remove(name string) error
	// makeFolder does nothing where the folder is there.
	makeFolder(name string) error
	version() string
	// cut ends what is under way in another goroutine; the place is of no use afterwards.
	cut()
	close()
}

// entry is a file of a folder.
type entry struct {
	folder, name string
	size         int64
	modified     time.Time
}

func (e entry) path() string { return path.Join(e.folder, e.name) }

// same reports whether a file is as it was.
func (e entry) same(other entry) bool {
	return e.name == other.name && e.size == other.size && e.modified.Equal(other.modified)
}

// Bounds of what is read.
const (
	maxFiles    = 10_000
	maxFile     = 1 << 30 // bytes, unpacked
	maxRecord   = 1 << 20 // bytes
	maxFields   = 1000
	maxKeys     = 2_000_000 // records of a file whose keys must be unique
	maxOutbound = 16 << 20
)

// cleanFolder gives a folder's name in one form: relative, without a step outwards.
func cleanFolder(name string) (string, bool) {
	name = strings.ReplaceAll(strings.TrimSpace(name), `\`, "/")
	if strings.ContainsAny(name, ":\x00") || strings.HasPrefix(name, "/") {
		return "", false
	}
	name = path.Clean(name)
	return name, name != ".." && !strings.HasPrefix(name, "../")
}

// temporary reports whether a name is one that writers use before a file is whole.
func temporary(name string) bool {
	lower := strings.ToLower(name)
	for _, end := range []string{".tmp", ".part", ".filepart", ".error.txt"} {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~")
}
