package sqlite

import (
	"context"
	"path/filepath"

	"gantry/relay/store/database"
)

// Backup writes a copy of the database in dir, as it is at one moment, to a file that does not exist yet. A relay may be
// serving meanwhile.
func Backup(ctx context.Context, dir, file string) error {
	return database.Backup(ctx, filepath.Join(dir, File), file)
}

// Check looks for damage in the database of dir, and gives what it finds, nothing at best. A relay may be serving meanwhile.
func Check(ctx context.Context, dir string) (found []string, err error) {
	return database.Check(ctx, filepath.Join(dir, File))
}
