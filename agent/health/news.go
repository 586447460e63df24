package health

import (
	"context"
	"log/slog"
	"time"

	"gantry/connectors/wire"
)

// news collects what a change of a connection tells, to be told when its lock is free.
type news struct {
	c       *Connection
	now     time.Time
	changed bool
	lines   []line
}

type line struct {
	level   slog.Level
	message string
	attrs   []any
}

// say keeps a line for the log.
func (n *news) say(level slog.Level, message string, attrs ...any) {
	n.changed = true
	n.lines = append(n.lines, line{level, message, append([]any{"connection", n.c.id}, attrs...)})
}

// moved tells what became of a circuit. The connection's lock is held.
func (n *news) moved(p Place, c *circuit, m move) {
	if m == stays {
		return // as nearly always, without cost
	}
	attrs := []any{}
	if p != (Place{}) {
		attrs = []any{"entity", p.Entity, "operation", p.Operation}
	}
	switch m {
	case opens:
		n.say(slog.LevelWarn, "circuit opened", append(attrs, "retry_in", c.wait().Round(time.Millisecond), "code", c.cause.Code, "error", c.cause)...)
	case tries:
		n.say(slog.LevelDebug, "circuit half open", attrs...)
	case closes:
		n.say(slog.LevelInfo, "circuit closed", attrs...)
	}
	n.c.revision++
}

// tell logs, and wakes the watchers. No lock is held.
func (n *news) tell() {
	for _, l := range n.lines {
		n.c.book.logger.Log(context.Background(), l.level, l.message, l.attrs...)
	}
	if n.changed {
		n.c.book.changed()
	}
}

// turned notes a change of a state. The connection's lock is held.
func (n *news) turned() {
	n.changed = true
	n.c.revision++
}

// reached notes that the system answered. The connection's lock is held.
func (n *news) reached() {
	c := n.c
	c.system.checked, c.system.doubt = n.now, false
	clear(c.silent)
	if c.system.state != wire.SystemReachable {
		was := c.system
		c.system.state, c.system.since, c.system.err = wire.SystemReachable, n.now, nil
		n.turned()
		if was.state == wire.SystemUnreachable {
			n.say(slog.LevelInfo, "system reachable again", "after", n.now.Sub(was.since).Round(time.Second))
		}
	}
}

// lost notes that it cannot be reached. The connection's lock is held.
func (n *news) lost(t *told) {
	c := n.c
	c.system.checked, c.system.err = n.now, t
	if c.system.state != wire.SystemUnreachable {
		c.system.state, c.system.since = wire.SystemUnreachable, n.now
		n.turned()
	}
}
