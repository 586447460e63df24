// Package adventureworks loads Microsoft's AdventureWorks purchasing tables into a PostgreSQL or MariaDB of a test.
//
// The data set is not part of this repository: it is read, as tab-separated files, from the folder that GANTRY_DATA names,
// or from shared/data beside the repository. The tables are AdventureWorks' own with lower-case names, its computed columns
// computed by the database, and what a plant's DBA would add for Gantry: an external_ref on the order, for writes of the
// class keyed, and the table gantry_inbox, for those of the class transactional. Generate makes a table of any size.
//
// It is for tests alone, and knows neither definitions nor the API.
package adventureworks

import (
	"bufio"
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed postgres.sql
var postgres string

//go:embed mysql.sql
var mysql string

// batch is how many rows one statement inserts: PostgreSQL takes 65,535 parameters at most.
const batch = 500

// Folder finds the data set. The error wraps fs.ErrNotExist where there is none, and says where it was looked for.
func Folder() (string, error) {
	if data := os.Getenv("GANTRY_DATA"); data != "" {
		return folderIn(data)
	}
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if folder, err := folderIn(filepath.Join(at, "..", "shared", "data")); err == nil {
			return folder, nil
		}
		above := filepath.Dir(at)
		if above == at {
			return "", fmt.Errorf("no shared/data/adventureworks beside the repository, and GANTRY_DATA is not set: %w", fs.ErrNotExist)
		}
		at = above
	}
}

func folderIn(data string) (string, error) {
	folder := filepath.Join(data, "adventureworks")
	if _, err := os.Stat(filepath.Join(folder, "PurchaseOrderHeader.tsv")); err != nil {
		return "", fmt.Errorf("no AdventureWorks in %s: %w", data, err)
	}
	return folder, nil
}

// Load makes the tables in an empty database and fills them. db may create tables; dialect is "postgres" or "mysql".
func Load(ctx context.Context, db *sql.DB, dialect string) error {
	folder, err := Folder()
	if err != nil {
		return err
	}
	if err := Schema(ctx, db, dialect); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	for _, t := range tables {
		if err := t.load(ctx, tx, folder, dialect); err != nil {
			return fmt.Errorf("load %s: %w", t.name, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return run(ctx, db, after[dialect])
}

// Schema makes the tables, empty.
func Schema(ctx context.Context, db *sql.DB, dialect string) error {
	schema := map[string]string{"postgres": postgres, "mysql": mysql}[dialect]
	if schema == "" {
		return fmt.Errorf("AdventureWorks is not made for %q", dialect)
	}
	return run(ctx, db, schema)
}

// after is what follows the rows: keys of new rows begin behind them, and the planner knows the tables.
var after = map[string]string{
	"postgres": `SELECT setval('purchaseorderheader_purchaseorderid_seq', (SELECT max(purchaseorderid) FROM purchaseorderheader));
		SELECT setval('purchaseorderdetail_purchaseorderdetailid_seq', (SELECT max(purchaseorderdetailid) FROM purchaseorderdetail));
		ANALYZE`,
	"mysql": `ANALYZE TABLE purchaseorderheader, purchaseorderdetail, product, productinventory`,
}

// run executes statements that end in a semicolon at the end of a line.
func run(ctx context.Context, db *sql.DB, statements string) error {
	for statement := range strings.SplitSeq(statements, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%w in %s", err, statement)
		}
	}
	return nil
}

// load inserts the rows of a table's file.
func (t table) load(ctx context.Context, tx *sql.Tx, folder, dialect string) (err error) {
	file, err := os.Open(filepath.Join(folder, t.file+".tsv"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	var values []any
	for lines.Scan() {
		row, err := t.row(strings.TrimSuffix(lines.Text(), "\r"))
		if err != nil {
			return err
		}
		if values = append(values, row...); len(values) >= batch*len(row) {
			if err := t.insert(ctx, tx, dialect, values); err != nil {
				return err
			}
			values = values[:0]
		}
	}
	return errors.Join(lines.Err(), t.insert(ctx, tx, dialect, values))
}

// row takes the wanted fields of a line. An empty field is NULL.
func (t table) row(line string) ([]any, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != len(t.columns) {
		return nil, fmt.Errorf("a line with %d fields, not %d", len(fields), len(t.columns))
	}
	var row []any
	for i, column := range t.columns {
		switch value := strings.TrimRight(fields[i], " "); {
		case column == skip:
		case value == "":
			row = append(row, nil)
		default:
			row = append(row, strings.TrimSuffix(value, "000000")) // the tail of a fraction that neither database keeps
		}
	}
	return row, nil
}

func (t table) insert(ctx context.Context, tx *sql.Tx, dialect string, values []any) error {
	if len(values) == 0 {
		return nil
	}
	columns := t.wanted()
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", t.name, strings.Join(columns, ","))
	for i := range values {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%len(columns) == 0:
			b.WriteString("),(")
		default:
			b.WriteString(",")
		}
		if dialect == "postgres" {
			fmt.Fprintf(&b, "$%d", i+1)
		} else {
			b.WriteString("?")
		}
	}
	b.WriteString(")")
	_, err := tx.ExecContext(ctx, b.String(), values...)
	return err
}
