// Package demoplant makes the database of a believable plant: maintenance and purchasing at a paper maker with three
// mills, in a SQLite file, over all twelve canonical entities.
//
// Its tables have names and habits of their own, as an old product's have (schema.sql), so that the definition
// `demo-plant` has something to map. Its content is the same on every machine and on every day: it is drawn from a fixed
// seed, and its clock stands still. The demo, and every test that wants a whole plant, use it.
//
// The package makes the file and nothing else: it never reads one, and it knows neither definitions nor the API.
package demoplant

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the driver of the file
)

// Timezone is where the wall clocks of the plant hang.
const Timezone = "Europe/Stockholm"

//go:embed schema.sql
var schema string

// Create makes the plant in a new file. A file that is there already is an error, and left as it is.
func Create(ctx context.Context, path string) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("create the plant's file: %w", err)
	}
	if err := file.Close(); err != nil {
		return err
	}
	address := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: "_pragma=synchronous(off)"}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return Seed(ctx, db)
}

// Seed makes the tables and all records in an empty database, in one transaction.
func Seed(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("make the plant's tables: %w", err)
	}
	p := newPlant(&table{ctx: ctx, tx: tx})
	p.build()
	if err := p.out.close(); err != nil {
		return fmt.Errorf("fill the plant: %w", err)
	}
	return tx.Commit()
}
