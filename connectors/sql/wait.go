package sqldriver

import (
	"context"
	"sync/atomic"
	"time"
)

// wait bounds how long a call waits for the system, and ends the call at the system when it was cancelled. Its context
// is what the client library sees; it ends with the caller's, when the system is slow, or when the connection is closed.
//
// The consumer's own time between two rows does not count, so the clock is told when the call is waiting (busy) and when
// not (idle). It looks at the system every eighth of the patience and counts how often it found the same wait, which
// costs a row two atomic additions and no timer.
type wait struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	caller context.Context
	beats  atomic.Int64 // odd: waiting
	timer  *time.Timer
	detach func() bool   // from the connection's life
	kill   func() bool   // detaches the killer; false: it has begun
	killed chan struct{} // closed when the killer is through
}

const looks = 8

// newWait starts a call. It must be ended.
func newWait(ctx, life context.Context, patience time.Duration, k killer) *wait {
	w := &wait{caller: ctx}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.detach = context.AfterFunc(life, func() { w.cancel(context.Cause(life)) })
	w.watch(patience)
	if k != nil {
		w.killed = make(chan struct{})
		w.kill = context.AfterFunc(w.ctx, func() {
			defer close(w.killed)
			_ = k.kill(context.WithoutCancel(ctx)) // the session is dropped in any case; the server's limit is the second net
		})
	}
	return w
}

func (w *wait) watch(patience time.Duration) {
	every := max(patience/looks, time.Millisecond)
	seen, same := int64(0), 0
	var look func()
	started := make(chan struct{})
	look = func() {
		<-started // w.timer is set
		if w.ctx.Err() != nil {
			return
		}
		now := w.beats.Load()
		if now != seen || now%2 == 0 {
			seen, same = now, 0
		} else if same++; same >= looks {
			w.cancel(errSlow)
			return
		}
		w.timer.Reset(every)
	}
	w.timer = time.AfterFunc(every, look)
	close(started)
}

func (w *wait) busy() { w.beats.Add(1) }
func (w *wait) idle() { w.beats.Add(1) }

// end ends the call, and reports whether it was cut: then the session must not be used again.
func (w *wait) end() (cut bool) {
	w.timer.Stop()
	w.detach()
	cut = w.ctx.Err() != nil
	if w.kill != nil && !w.kill() {
		<-w.killed
		cut = true
	}
	w.cancel(errStopped)
	return cut
}

// explain tells why a call failed, in the terms of connectors.Conn.
func (w *wait) explain(d dialect, err error) error {
	return explain(w.caller, context.Cause(w.ctx), d, err)
}
