package doctor

import (
	"context"
	"sync"
	"time"

	"gantry/agent/dial"
)

// login is one that can be tried: of a connection that the agent holds, or of one that it is asked to hold.
type login interface {
	Allowed() error
	Try(ctx context.Context, trace *dial.Trace) (version string, err error)
}

// attempt is how far the one try to log in has come, or how it ended.
type attempt struct {
	seen    dial.Seen
	version string
	took    time.Duration
	err     error
}

// try makes one attempt for all checks, in the way of the connection's calls and also while a circuit is open: whatever
// check comes first begins it.
type try struct {
	login
	ctx   context.Context
	limit time.Duration
	begin sync.Once
	trace dial.Trace
	over  chan struct{}
	end   attempt // once over is closed
}

func newTry(ctx context.Context, l login, limit time.Duration) *try {
	return &try{login: l, ctx: ctx, limit: limit, over: make(chan struct{})}
}

// attempt waits for the end.
func (t *try) attempt() attempt {
	t.begin.Do(t.run)
	<-t.over
	return t.end
}

// reached waits until the attempt has come so far, or is over: a step that went well is told while the next one waits for
// an answer. A step that fails is told at the end, which says why.
func (t *try) reached(far func(dial.Seen) bool) attempt {
	t.begin.Do(func() { go t.run() })
	for {
		seen, changed := t.trace.Changed()
		if far(seen) {
			return attempt{seen: seen}
		}
		select {
		case <-changed:
		case <-t.over:
			return t.end
		}
	}
}

func (t *try) run() {
	defer close(t.over)
	ctx, cancel := context.WithTimeout(t.ctx, t.limit)
	defer cancel()
	start := time.Now()
	t.end.version, t.end.err = t.Try(ctx, &t.trace)
	t.end.seen, t.end.took = t.trace.Seen(), time.Since(start)
}

// How far an attempt has come.
func admitted(s dial.Seen) bool { return s.Admitted }
func opened(s dial.Seen) bool   { return s.TCP.Reached && s.TCP.Err == nil }
