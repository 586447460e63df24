package health

import (
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// How often a refused login is tried again: systems lock an account after some wrong passwords within some minutes.
const (
	firstRefusal   = time.Minute
	longestRefusal = 30 * time.Minute
	loginTime      = 45 * time.Second // which a try has before another call may try
)

// login is whether the system takes the login.
type login struct {
	state    wire.LoginState
	since    time.Time
	err      *told
	refusal  *fault.Error  // of the last try; nil: none
	at       time.Time     // of that try
	pause    time.Duration // after it
	until    time.Time     // the next try
	underWay bool          // it is made
}

// admit lets calls pass unless the login was refused; then one of them, when its time has come.
func (l *login) admit(now time.Time, t *trial) *fault.Error {
	if l.refusal == nil {
		return nil
	}
	if wait := until(now, l.until); wait > 0 {
		f := l.refusal.Clone().Ended(fault.NotSent)
		f.Detail += " (Said " + age(now, l.at) + " ago; it is not asked again yet, so that no account is locked.)"
		return f
	}
	l.until, l.underWay, t.login = now.Add(loginTime), true, true
	return nil
}

// refused notes that the system does not take the login.
func (l *login) refused(now time.Time, f *fault.Error, requestID string) (changed bool) {
	changed = l.state != wire.LoginRefused
	if changed {
		l.state, l.since = wire.LoginRefused, now
	}
	if l.refusal == nil || l.underWay || now.After(l.until) { // several calls may meet one refusal
		l.pause = min(max(4*l.pause, firstRefusal), longestRefusal)
		l.until = now.Add(l.pause)
	}
	l.err, l.refusal, l.at, l.underWay = newTold(now, f, requestID), f, now, false
	return changed
}

// accepted notes that it does.
func (l *login) accepted(now time.Time) (changed bool) {
	if l.state == wire.LoginAccepted {
		return false
	}
	*l = login{state: wire.LoginAccepted, since: now}
	return true
}

// askedAgain is how long a person does not ask a system again that refused the login.
const askedAgain = time.Minute

// Refused gives the refusal of the login by which a person should not ask the system again yet; nil: there is none.
func (c *Connection) Refused() (ago time.Duration, refusal *fault.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ago = time.Since(c.login.at); c.login.refusal == nil || ago > askedAgain {
		return 0, nil
	}
	return ago, c.login.refusal
}

// Looked notes what a person's look at the login found. It tells of the login and the system, and moves no circuit.
func (c *Connection) Looked(err error) {
	if m, _ := means(err, 0); m != success && m != loginOut {
		return
	}
	p := Permit{c: c, began: time.Now()}
	p.Ended(err)
}

// inconclusive gives a try back.
func (l *login) inconclusive(now time.Time, trial bool) {
	if trial && l.underWay {
		l.until, l.underWay = now.Add(againDelay), false
	}
}
