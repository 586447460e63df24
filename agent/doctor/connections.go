package doctor

import (
	"context"
	"fmt"
	"time"

	"gantry/agent/calls"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// Bounds of a look at a connection.
const (
	loginTime = 8 * time.Second // of the attempt as a whole, so that time is left to tell of it
	readTime  = 5 * time.Second // of one entity
	slowStep  = time.Second     // from which a name or a connection is slow
	slowLogin = 2 * time.Second
	slowRead  = 2 * time.Second
)

// Connection names a connection that is to be looked at.
type Connection struct {
	ID     string
	Name   string
	System string
	User   string // of its login, for those who are asked to help; may be empty
}

// Connections are the checks of connections, and the logins that they hold meanwhile. Close it when the checks are over.
//
// For each connection, in the order in which a call meets them: definition, circuit, policy, dns, tcp, tls, login, then one
// cheap read of each entity, and how its calls did. Steps up to the login are looked at in one attempt (attempt.go).
type Connections struct {
	Checks []check.Check
	looks  []*look
}

// NewConnections makes the checks, for one run under ctx. It asks nothing of a system yet.
func NewConnections(ctx context.Context, handler *calls.Handler, all []Connection) *Connections {
	c := &Connections{}
	for _, connection := range all {
		l := &look{Connection: connection}
		if l.probe, l.missing = handler.Probe(ctx, connection.ID); l.missing == nil {
			l.try = newTry(ctx, l.probe, loginTime)
		}
		c.looks = append(c.looks, l)
		c.Checks = append(c.Checks, l.checks()...)
	}
	return c
}

// Close ends the logins.
func (c *Connections) Close() {
	for _, l := range c.looks {
		if l.probe != nil {
			l.probe.Close()
		}
	}
}

// look is what the checks of one connection share.
type look struct {
	Connection
	*try
	probe   *calls.Probe
	missing error // there is no such connection
}

// step is a check of the way to a session.
type step struct {
	name, title string
	hop         fault.Hop
	run         func(context.Context) check.Outcome
}

// steps are those of the one attempt.
func (l *look) steps() []step {
	return []step{
		{"policy", "Policy", fault.HopPolicy, l.policy},
		{"dns", "Host name", fault.HopNetwork, l.dns},
		{"tcp", "Connection", fault.HopNetwork, l.tcp},
		{"tls", "Encryption", fault.HopNetwork, l.tls},
		{"login", "Login", fault.HopSystem, l.loggedIn},
	}
}

// checks lists the connection's checks, each needing the one before.
func (l *look) checks() []check.Check {
	all, needs := l.chain(append([]step{
		{"definition", "Definition", fault.HopAgent, l.definition},
		{"circuit", "Circuit", fault.HopAgent, l.circuit},
	}, l.steps()...))
	for _, entity := range l.entities() {
		c := l.check("read."+entity, "Read "+entity, fault.HopSystem, func(ctx context.Context) check.Outcome { return l.read(ctx, entity) })
		c.Entity, c.Needs, c.Limit = entity, needs, readTime
		all = append(all, c)
	}
	return append(all, l.check("calls", "Calls so far", fault.HopAgent, l.calls))
}

// chain makes checks of steps, and names the last one.
func (l *look) chain(steps []step) (all []check.Check, last []string) {
	for _, s := range steps {
		c := l.check(s.name, s.title, s.hop, s.run)
		c.Needs = last
		if s.name != "circuit" { // an open circuit keeps calls back, and not who looks for its cause
			last = []string{c.Name}
		}
		all = append(all, c)
	}
	return all, last
}

func (l *look) check(name, title string, hop fault.Hop, run func(context.Context) check.Outcome) check.Check {
	return check.Check{Name: "connections." + l.ID + "." + name, Title: l.Name + ": " + title, Hop: hop, Connection: l.ID, Run: run}
}

// entities lists what can be read; none where the definition cannot be used.
func (l *look) entities() []string {
	if l.missing != nil || l.probe.Definition() != nil {
		return nil
	}
	return l.probe.Entities()
}

func (l *look) definition(context.Context) check.Outcome {
	if l.missing != nil {
		return check.Fail("CON-AGENT", detail(l.missing)...)
	}
	if err := l.probe.Definition(); err != nil {
		return check.Fail("CON-DEFINITION", detail(err)...).With("system", l.System)
	}
	if l.probe.Rests() {
		return check.Skip("the connection is paused: its system is not asked")
	}
	return check.Pass("system " + l.System)
}

// calls tells how the connection's own calls did, which is no judgement of now.
func (l *look) calls(context.Context) check.Outcome {
	if l.missing != nil {
		return check.Skip("the agent does not hold the connection")
	}
	use := l.probe.Use()
	said, last := []string{}, use.Last
	if last.Success.IsZero() {
		said = append(said, "no call succeeded since the agent started")
	} else {
		said = append(said, "last success "+ago(last.Success))
	}
	if last.Fault != nil {
		said = append(said, fmt.Sprintf("last failure %s: %s at hop %s: %s", ago(last.Failure), last.Fault.Code, last.Fault.Hop, last.Fault.Detail))
	}
	return check.Pass(append(said, fmt.Sprintf("%d under way", use.Calls))...)
}

// ago writes a time as an age: the clocks of two machines differ.
func ago(t time.Time) string { return time.Since(t).Round(time.Second).String() + " ago" }
