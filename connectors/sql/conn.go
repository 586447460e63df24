package sqldriver

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"log/slog"
	"time"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// Defaults of connectors.Limits.
const (
	defaultConcurrency = 4
	defaultTimeout     = 30 * time.Second
	maxIdle            = time.Minute // an idle session is closed then: a plant's server counts them
	// maxAge is how long a session is used. A server that no longer takes the login lets the sessions be that it has; the
	// next one tells, and the login's state is to be true within half a minute.
	maxAge = 25 * time.Second
)

// conn is a pool of sessions.
type conn struct {
	dialect dialect
	db      *sql.DB
	check   *statement
	limits  connectors.Limits
	lanes   lane.Lanes
	logger  *slog.Logger
	life    context.Context // ends with Close
	end     context.CancelCauseFunc
}

var _ connectors.Conn = (*conn)(nil)

func open(d dialect, a address, t connectors.Target) (*conn, error) {
	c := &conn{dialect: d, limits: t.Limits, logger: t.Logger}
	if c.limits.Concurrency <= 0 {
		c.limits.Concurrency = defaultConcurrency
	}
	if c.limits.Timeout <= 0 {
		c.limits.Timeout = defaultTimeout
	}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	if err := c.prepareCheck(t.Check); err != nil {
		return nil, err
	}
	connector, err := d.connector(a, c.limits)
	if err != nil {
		return nil, err
	}
	c.lanes = lane.New(c.limits.Concurrency)
	c.db = sql.OpenDB(newLogins(connector))
	c.db.SetMaxOpenConns(c.lanes.Size())
	c.db.SetMaxIdleConns(c.limits.Concurrency)
	c.db.SetConnMaxIdleTime(maxIdle)
	c.db.SetConnMaxLifetime(maxAge)
	c.life, c.end = context.WithCancelCause(context.Background())
	return c, nil
}

func (c *conn) prepareCheck(given connectors.Statement) (err error) {
	if given == nil {
		c.check, err = compile(c.dialect, map[string]any{"sql": c.dialect.version()})
		return err
	}
	s, ok := given.(*statement)
	if !ok {
		return connectors.Misuse("the check was compiled by another driver: %T", given)
	}
	c.check = s
	return nil
}

// Atomic implements connectors.Conn. MySQL's tables are taken to be InnoDB, as they have been by default since 2010.
func (c *conn) Atomic() bool { return true }

// Check implements connectors.Conn. The version is the check statement's column of that name, or its first one if that
// is text.
func (c *conn) Check(ctx context.Context) (connectors.SystemInfo, error) {
	var info connectors.SystemInfo
	q, err := render(c.check, nil)
	if err != nil {
		return info, err
	}
	_, err = c.read(ctx, lane.Check, q, true, func(row connectors.Row) bool {
		if info.Version == "" {
			info.Version = versionIn(row)
		}
		return true
	})
	return info, err
}

func versionIn(row connectors.Row) string {
	if version, ok := row["version"].(string); ok {
		return version
	}
	for _, v := range row {
		if s, ok := v.(string); ok && len(row) == 1 {
			return s
		}
	}
	return ""
}

// Read implements connectors.Conn. A session that the server had closed while it was idle is not the reader's concern:
// as long as no row was given, the read is tried on the next one.
func (c *conn) Read(ctx context.Context, r connectors.Read) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		q, err := renderRead(r)
		if err != nil {
			yield(nil, err)
			return
		}
		_, err = c.read(ctx, lane.Of(ctx), q, r.Limit > 0, func(row connectors.Row) bool { return yield(row, nil) })
		if err != nil {
			yield(nil, err)
		}
	}
}

// read borrows a session for one query. page says that the result is small, so that the server's time limit may stay.
func (c *conn) read(ctx context.Context, which lane.Lane, q *query, page bool, yield func(connectors.Row) bool) (rows int, err error) {
	for range c.lanes.Size() + 1 { // every pooled session may be stale
		rows, err = c.readOnce(ctx, which, q, page, yield)
		if err == nil || rows > 0 || !stale(err) || c.life.Err() != nil {
			break
		}
		c.logger.DebugContext(ctx, "stale session replaced")
	}
	return rows, err
}

func (c *conn) readOnce(ctx context.Context, which lane.Lane, q *query, page bool, yield func(connectors.Row) bool) (int, error) {
	l, err := c.borrow(ctx, which)
	if err != nil {
		return 0, err
	}
	defer l.giveBack()
	if !page {
		restore, err := l.lift(ctx)
		if err != nil {
			return 0, err
		}
		defer restore()
	}
	return l.read(ctx, l.session, q, yield)
}

// Close implements connectors.Conn. It does not wait for readers that are between two rows: their sessions end when
// they ask for the next one.
func (c *conn) Close() error {
	c.end(errClosed)
	if err := c.db.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		return misfortune(connectors.Lost, "closing the sessions failed", err)
	}
	return nil
}
