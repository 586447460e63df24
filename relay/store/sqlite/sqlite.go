// Package sqlite is the store of a relay on one machine: one SQLite file in the data folder (package database), no server.
//
// Its commits are synchronous=FULL, so that what was answered survives a power cut. The folder is locked for one process:
// SQLite itself would let two relays in. When the disk is full, writes are refused with store.ErrReadOnly, and reading goes
// on.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gantry/relay/store"
	"gantry/relay/store/database"
)

// schema holds the migrations, 0001.sql first. One that was released is never changed.
//
//go:embed schema/*.sql
var schema embed.FS

// applicationID marks our files in their header ("GNTR").
const applicationID = 0x474e5452

// File is the database's name in the data folder.
const File = "relay.db"

// readers is how many reads run at a time.
const readers = 6

// Store is an open store.Store. It is safe for concurrent use.
type Store struct {
	lock  *os.File
	now   func() time.Time
	file  *database.File
	read  *sql.DB
	write writer
	roll  roll

	lastEvent string // the id of the newest event since the start; the writer's alone
}

var _ store.Store = (*Store)(nil)

// Open opens the store in dir, which it makes if there is none, and brings its schema up to date. now is the clock;
// nil: time.Now. It fails with ErrInUse, ErrNewer, ErrForeign, ErrCorrupt or ErrOldSQLite.
func Open(ctx context.Context, dir string, now func() time.Time) (*Store, error) {
	if now == nil {
		now = time.Now
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("open store in %s: %w", dir, err)
	}
	s := &Store{lock: lock, now: now}
	s.file, err = database.Open(ctx, filepath.Join(dir, File), database.Settings{
		Schema: schema, Application: applicationID, Synchronous: database.Full, Readers: readers,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store in %s: %w", dir, err), s.Close())
	}
	s.read, s.write = s.file.Reader(), writer{s.file}
	return s, nil
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return classify(s.read.QueryRowContext(ctx, "SELECT 1 FROM secrets UNION ALL SELECT 1 LIMIT 1").Scan(&one))
}

// Close implements store.Store.
func (s *Store) Close() error {
	var err error
	if s.file != nil {
		err = s.file.Close()
	}
	return errors.Join(err, s.lock.Close())
}
