package engine_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/engine"
	sqldriver "gantry/connectors/sql"
)

const schema = `
CREATE TABLE po (po_id INTEGER PRIMARY KEY, po_no TEXT UNIQUE, vendor INTEGER, status INTEGER NOT NULL DEFAULT 1, total TEXT,
  ordered TEXT, modified TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1, ext_ref TEXT UNIQUE, ship_city TEXT, colour TEXT);
CREATE TABLE po_line (po_id INTEGER, line_no INTEGER, item INTEGER, qty TEXT, PRIMARY KEY (po_id, line_no));
CREATE TABLE stock (item TEXT, bin TEXT, qty TEXT, PRIMARY KEY (item, bin));
CREATE TABLE gantry_inbox (idempotency_key TEXT PRIMARY KEY, entity TEXT NOT NULL, operation TEXT NOT NULL, record_id TEXT, received_at TEXT NOT NULL);
`

const plantYAML = `apiVersion: connector/v1
metadata: {id: plant, version: 1.0.0, product: Test plant, extends: [base/sql-sqlite]}
driver: sql
login: {properties: {timezone: {default: Europe/Berlin}}}
limits: {scan: 30}
entities:
  purchase-orders:
    key: [{column: po_id, type: integer}]
    version: {column: rev, type: integer}
    operations:
      list:
        sql: SELECT po_id, po_no, vendor, status, total, ordered, modified, rev, ship_city, colour FROM po
        keyset: [{column: modified}, {column: po_id, type: integer}]
        filters: [status, vendor_id, number]
        scan: [colour]
      create:
        class: keyed
        idempotency: {find: {sql: "SELECT po_id FROM po WHERE ext_ref = :idempotency_key"}}
        tx:
          - id: header
            sql: "INSERT INTO po (po_no, vendor, total, ordered, modified, ext_ref, ship_city) VALUES (:number, :vendor_id, :total, :ordered_at, :now, :idempotency_key, :ship_to_city) RETURNING po_id"
            now: text_datetime
          - id: lines
            for_each: lines
            sql: "INSERT INTO po_line (po_id, line_no, item, qty) VALUES (:po_id, :index, :item_id, :quantity)"
      update:
        tx:
          - {id: header, sql: "UPDATE po SET vendor = :vendor_id, ship_city = :ship_to_city, rev = rev + 1 WHERE po_id = :po_id", affects: 1}
          - {id: old, when: has(input.lines), sql: "DELETE FROM po_line WHERE po_id = :po_id"}
          - {id: lines, for_each: lines, sql: "INSERT INTO po_line (po_id, line_no, item, qty) VALUES (:po_id, :index, :item_id, :quantity)"}
      delete: {mode: status, action: cancel}
    actions:
      approve: {from: [draft, pending_approval], to: approved, sql: "UPDATE po SET status = 2, rev = rev + 1 WHERE po_id = :po_id AND status = 1", affects: 1}
      cancel: {from: [pending_approval], to: cancelled, sql: "UPDATE po SET status = 5, rev = rev + 1 WHERE po_id = :po_id", affects: 1}
      note: {class: transactional, inbox: {table: gantry_inbox}, input: {text: {type: string, required: true, max_length: 5}}, sql: "UPDATE po SET colour = COALESCE(colour, '') || :text WHERE po_id = :po_id", affects: 1}
      vanish: {sql: "UPDATE po SET rev = rev WHERE po_id = :po_id AND status = 99", affects: 1}
    children:
      lines: {sql: "SELECT po_id, line_no, item, qty FROM po_line", parent: po_id, order: [{column: line_no, type: integer}]}
    fields:
      number: {from: po_no, write: [create]}
      vendor_id: {from: vendor, native: integer, write: [create, update], required: [create]}
      status: {from: status, enum: {1: pending_approval, 2: approved, 5: cancelled}, labels: {1: Pending}}
      total: {from: total, write: [create]}
      ordered_at: {from: ordered, native: text_datetime, tz: "${login.timezone}", write: [create]}
      title: {value: "${'Order ' + row.po_no}"}
      ship_to: {fields: {city: {from: ship_city, write: [create, update]}}}
      lines: {from: lines, write: [create, update], fields: {line: {from: line_no, write: []}, item_id: {from: item, native: integer, write: [create, update], required: [create]}, quantity: {from: qty, write: [create, update]}}}
      updated_at: {from: modified, native: text_datetime, tz: "${login.timezone}"}
    custom_fields: {colour: {from: colour, type: string}}
    rules:
      - {id: locked, on: [update, delete], when: "current.status.value in ['approved', 'closed']", deny: RECORD_LOCKED, message: Approved orders cannot be changed.}
      - {id: dear, on: [vanish], when: "current.total == '1.50' && size(current.lines) > 0", deny: BUSINESS_RULE, message: Dear orders stay.}
  inventory:
    key: [item, bin]
    operations: {list: {sql: "SELECT item, bin, qty FROM stock"}}
    fields: {item_id: {from: item}, bin: {from: bin}, on_hand: {from: qty}}
`

// plant is an engine over a SQLite file, with a driver in between that can be told to fail.
type plant struct {
	*engine.Engine
	t     *testing.T
	db    *sql.DB
	fails *faulty
	open  func(connection string) *engine.Engine // another connection to the same file

	program     *definition.Program
	openProgram func(program *definition.Program, connection string) *engine.Engine
}

func newPlant(t *testing.T, statements ...string) *plant {
	t.Helper()
	return newPlantOf(t, plantYAML, statements...)
}

// newPlantOf makes a plant with a definition of its own.
func newPlantOf(t *testing.T, yaml string, statements ...string) *plant {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plant.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p := &plant{t: t, db: db, fails: &faulty{}}
	p.exec("PRAGMA journal_mode = WAL")
	for _, s := range append([]string{schema}, statements...) {
		p.exec(s)
	}
	set, err := definition.Load(catalogue.FS, fstest.MapFS{"plant.yaml": &fstest.MapFile{Data: []byte(yaml)}})
	if err != nil {
		t.Fatal(err)
	}
	d := set.Lookup("plant")
	settings, credentials, err := d.Login.Split([]byte(`{"path":"`+path+`"}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	program, err := definition.Compile(d, []connectors.Driver{p.fails})
	if err != nil {
		t.Fatal(err)
	}
	p.program = program
	p.open = func(connection string) *engine.Engine { return p.openProgram(program, connection) }
	p.openProgram = func(program *definition.Program, connection string) *engine.Engine {
		e, err := engine.Open(t.Context(), program, engine.Options{
			Connection: connection, CursorKey: []byte("0123456789abcdef"), Settings: settings, Credentials: credentials,
			OpenPath: func(path string) (string, error) { return path, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		return e
	}
	p.Engine = p.open("con_1")
	return p
}

func (p *plant) exec(statement string) {
	p.t.Helper()
	if _, err := p.db.Exec(statement); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plant) count(query string) (n int) {
	p.t.Helper()
	if err := p.db.QueryRow(query).Scan(&n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

func (p *plant) list(params string) (engine.Page, error) {
	p.t.Helper()
	values, err := url.ParseQuery(params)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.List(p.t.Context(), "purchase-orders", engine.Query{Params: values})
}

func (p *plant) write(operation, id, body, key string) engine.Write {
	p.t.Helper()
	w := engine.Write{Entity: "purchase-orders", Operation: operation, ID: id, IdempotencyKey: key,
		Now: time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)}
	if body != "" {
		var err error
		if w.Body, err = connectors.DecodeBody([]byte(body)); err != nil {
			p.t.Fatal(err)
		}
	}
	return w
}

func decode(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return out
}

// faulty is the sql driver, with failures put in where a test wants them.
type faulty struct {
	sqldriver.Driver
	begin, exec, commit func() error // before the call; nil: none
	committed           func() error // after the commit has been made
	reads               atomic.Int64
	loose               bool // the system has no transactions: each statement is a unit of its own
}

func (f *faulty) Open(ctx context.Context, target connectors.Target) (connectors.Conn, error) {
	conn, err := f.Driver.Open(ctx, target)
	return &faultyConn{conn, f}, err
}

func failing(hook func() error) error {
	if hook == nil {
		return nil
	}
	return hook()
}

type faultyConn struct {
	connectors.Conn
	f *faulty
}

func (c *faultyConn) Begin(ctx context.Context, readOnly bool) (connectors.Tx, error) {
	if err := failing(c.f.begin); err != nil {
		return nil, err
	}
	if c.f.loose {
		return looseTx{c}, nil
	}
	tx, err := c.Conn.Begin(ctx, readOnly)
	return &faultyTx{tx, c.f}, err
}

func (c *faultyConn) Discover(ctx context.Context, q connectors.Discovery) (connectors.Findings, error) {
	return c.Conn.(connectors.Discoverer).Discover(ctx, q)
}

func (c *faultyConn) Atomic() bool { return !c.f.loose }

func (c *faultyConn) Read(ctx context.Context, q connectors.Read) iter.Seq2[connectors.Row, error] {
	c.f.reads.Add(1)
	return c.Conn.Read(ctx, q)
}

// looseTx is a unit of work of a system without transactions.
type looseTx struct{ conn *faultyConn }

func (t looseTx) Read(ctx context.Context, q connectors.Read) iter.Seq2[connectors.Row, error] {
	return t.conn.Read(ctx, q)
}

func (t looseTx) Exec(ctx context.Context, s connectors.Statement, vars connectors.Vars) (connectors.Effect, error) {
	if err := failing(t.conn.f.exec); err != nil {
		return connectors.Effect{}, err
	}
	tx, err := t.conn.Conn.Begin(ctx, false)
	if err != nil {
		return connectors.Effect{}, err
	}
	defer func() { _ = tx.Rollback() }()
	effect, err := tx.Exec(ctx, s, vars)
	if err != nil {
		return effect, err
	}
	return effect, tx.Commit(ctx)
}

func (t looseTx) Commit(context.Context) error { return failing(t.conn.f.commit) }
func (t looseTx) Rollback() error              { return nil }

type faultyTx struct {
	connectors.Tx
	f *faulty
}

func (t *faultyTx) Exec(ctx context.Context, s connectors.Statement, vars connectors.Vars) (connectors.Effect, error) {
	if err := failing(t.f.exec); err != nil {
		return connectors.Effect{}, err
	}
	return t.Tx.Exec(ctx, s, vars)
}

func (t *faultyTx) Commit(ctx context.Context) error {
	if err := failing(t.f.commit); err != nil {
		return err
	}
	if err := t.Tx.Commit(ctx); err != nil {
		return err
	}
	return failing(t.f.committed)
}

// orders fills the table: number i has vendor i%7, every third is approved, and times tie.
func orders(n string) string {
	return strings.ReplaceAll(`WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM g WHERE i < @last)
		INSERT INTO po (po_id, po_no, vendor, status, total, ordered, modified, colour)
		SELECT i, 'PO-' || i, i % 7, CASE WHEN i % 3 = 0 THEN 2 ELSE 1 END, i || '.50', '2026-01-15 08:30:00',
		  printf('2026-03-%02d 10:00:00', 1 + i / 40), CASE WHEN i % 10 = 0 THEN 'red' END FROM g`, "@last", n)
}
