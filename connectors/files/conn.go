package files

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// idleFor is how long a login rests: one that nobody used for so long may be gone at the server.
const idleFor = time.Minute

// defaults hold where a definition says nothing.
var defaults = connectors.Limits{Concurrency: 4, Timeout: 30 * time.Second}

// conn is one login to one tree of folders. A login serves one call at a time; those that rest are kept for the next call.
type conn struct {
	dial   func(ctx context.Context) (place, error)
	limits connectors.Limits
	lanes  lane.Lanes
	logger *slog.Logger
	shelf  shelf
	life   context.Context
	end    context.CancelCauseFunc

	mu      sync.Mutex
	idle    []resting
	refused *connectors.Failure // the login: it is not tried again
	turn    chan struct{}       // held by the one who logs in, so that a wrong password is tried once
}

type resting struct {
	place place
	since time.Time
}

var _ connectors.Conn = (*conn)(nil)

func open(t connectors.Target) (*conn, error) {
	c := &conn{limits: t.Limits.Or(defaults), logger: t.Logger, turn: make(chan struct{}, 1)}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	if t.Check != nil {
		return nil, connectors.Misuse("a connection to folders needs no `check`: it looks into them")
	}
	c.lanes = lane.New(c.limits.Concurrency)
	c.life, c.end = context.WithCancelCause(context.Background())
	var err error
	switch t.Dialect {
	case dialectSFTP:
		c.dial, err = sftpDialer(t, c.limits.Timeout)
	case dialectSMB:
		c.dial, err = smbDialer(t)
	default:
		path := t.Setting("path")
		if path == "" {
			err = connectors.Misuse("the login has no path")
		}
		c.dial = func(context.Context) (place, error) { return openLocal(path, t.OpenPath) }
	}
	return c, err
}

// Atomic implements connectors.Conn: a file that was renamed is there.
func (c *conn) Atomic() bool { return false }

// Check implements connectors.Conn: it looks into the login's folder.
func (c *conn) Check(ctx context.Context) (connectors.SystemInfo, error) {
	var info connectors.SystemInfo
	err := c.with(ctx, lane.Check, func(call *call) error {
		_, err := call.place.list(".")
		info.Version = call.place.version()
		return err
	})
	return info, err
}

// Read implements connectors.Conn. The place in the lane is held until the reader is through: it is files that are open
// that are bounded.
func (c *conn) Read(ctx context.Context, r connectors.Read) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		q, err := plan(r)
		if err == nil {
			err = c.with(ctx, lane.Of(ctx), func(call *call) error { return call.read(q, yield) })
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// Close implements connectors.Conn.
func (c *conn) Close() error {
	c.end(errClosed)
	c.mu.Lock()
	idle := c.idle
	c.idle = nil
	c.mu.Unlock()
	for _, one := range idle {
		one.place.close()
	}
	return nil
}

// call is one use of the connection.
type call struct {
	conn     *conn
	ctx      context.Context // ends with the caller, with the connection, and after a time without progress
	place    place
	patience *time.Timer
}

// progress says that the system did something: a call may last as long as it moves.
func (c *call) progress() { c.patience.Reset(c.conn.limits.Timeout) }

// pause stops the clock while a consumer is busy; its time is not the system's.
func (c *call) pause() { c.patience.Stop() }

// with runs a call on a login of its own.
func (c *conn) with(ctx context.Context, which lane.Lane, do func(*call) error) error {
	if err := c.lanes.Enter(ctx, which, c.limits.Timeout); err != nil {
		return err
	}
	defer c.lanes.Leave(which)
	bound, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.life, func() { cancel(errClosed) })()
	one := &call{conn: c, ctx: bound, patience: time.AfterFunc(c.limits.Timeout, func() { cancel(errSlow) })}
	defer one.patience.Stop()
	var err error
	if one.place, err = c.take(bound); err != nil {
		return explain(ctx, bound, err)
	}
	cut := make(chan struct{})
	unhook := context.AfterFunc(bound, func() { one.place.cut(); close(cut) })
	err = do(one)
	if unhook() && reusable(err) {
		c.rest(one.place)
	} else {
		one.place.close()
	}
	if bound.Err() != nil {
		<-cut // a call has ended when nothing of it runs any more
	}
	if err == nil || errors.Is(err, errStopped) {
		return err
	}
	return explain(ctx, bound, err)
}

// reusable reports whether a login is as good as before: what the system answered does not hurt it.
func reusable(err error) bool {
	if err == nil || errors.Is(err, errStopped) {
		return true
	}
	f, ok := errors.AsType[*connectors.Failure](err)
	return ok && f.Kind != connectors.Lost || !ok && classify(err).Kind == connectors.Answered
}

// take gives a login that rests, or a new one.
func (c *conn) take(ctx context.Context) (place, error) {
	if p := c.rested(); p != nil {
		return p, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c.mu.Lock()
	refused := c.refused
	c.mu.Unlock()
	switch {
	case context.Cause(ctx) != nil:
		return nil, context.Cause(ctx)
	case c.life.Err() != nil:
		return nil, errClosed
	case refused != nil:
		return nil, refused
	}
	p, err := c.dial(ctx)
	if f, ok := errors.AsType[*connectors.Failure](err); ok && f.Status == statusRefused {
		c.mu.Lock()
		c.refused = f
		c.mu.Unlock()
	}
	return p, err
}

func (c *conn) rested() place {
	c.mu.Lock()
	var old []place
	var found place
	for found == nil && len(c.idle) > 0 {
		last := c.idle[len(c.idle)-1]
		c.idle = c.idle[:len(c.idle)-1]
		if found = last.place; time.Since(last.since) > idleFor {
			old, found = append(old, found), nil
		}
	}
	c.mu.Unlock()
	for _, p := range old {
		p.close()
	}
	return found
}

func (c *conn) rest(p place) {
	c.mu.Lock()
	keep := c.life.Err() == nil
	if keep {
		c.idle = append(c.idle, resting{p, time.Now()})
	}
	c.mu.Unlock()
	if !keep {
		p.close()
	}
}

// sleep waits within a call.
func (c *call) sleep(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}

// named says where in the plant's folders something happened.
func named(f *connectors.Failure, e entry, line int) *connectors.Failure {
	f.Source["file"], f.Source["line"] = e.path(), int64(line)
	where := e.path()
	if line > 0 {
		where = fmt.Sprintf("%s, line %d", where, line)
	}
	f.Message = where + ": " + f.Message
	return f
}
