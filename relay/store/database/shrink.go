package database

import (
	"context"
	"database/sql"
	"fmt"
)

// shrinkPages is how much room one transaction gives back, in pages of the file.
const shrinkPages = 2_000

// Shrink gives the file's free room back to the disk, and empties the log beside it, in which pages stay as they were
// before they were overwritten. Only a file whose Settings say Large has room to give.
func (f *File) Shrink(ctx context.Context) error {
	left, err := f.free(ctx)
	for err == nil && left > 0 {
		if err = f.Write(ctx, shrink); err != nil {
			break
		}
		before := left
		if left, err = f.free(ctx); left >= before {
			break // others free as fast as we do: the next time
		}
	}
	if err != nil {
		return err
	}
	_, err = f.write.db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return Classify(err)
}

func (f *File) free(ctx context.Context) (pages int, err error) {
	return One(ctx, f.read, func(r Row) (n int, err error) { return n, r.Scan(&n) }, "PRAGMA freelist_count")
}

// shrink reads the pragma's rows to the end, since each of them frees one page.
func shrink(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", shrinkPages))
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	for more := true; more; more = rows.Next() {
	}
	return rows.Err()
}
