package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"gantry/relay/store/database"
)

// Check looks for damage in the records of dir, and gives what it finds, nothing at best; a relay that never ran has none. A
// relay may be serving meanwhile. It reads the whole file.
func Check(ctx context.Context, dir string) (found []string, err error) {
	found, err = database.Check(ctx, filepath.Join(dir, File))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for i := range found {
		found[i] = File + ": " + found[i]
	}
	return found, err
}
