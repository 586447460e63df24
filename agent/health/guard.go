package health

import (
	"context"
	"net"
	"time"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// person marks a context whose dials are a person's: no circuit holds them back, and none counts them.
type person struct{}

// ForPerson gives a context in which a person looks at a connection, once, to find out what is wrong.
func ForPerson(ctx context.Context) context.Context { return context.WithValue(ctx, person{}, true) }

// Dial guards the dials of a connection: calls that were let go before the circuit opened wait for sessions behind others
// that fail, and would each dial in their turn. A dial that fails is counted here, at once, and not again by its calls.
func (b *Book) Dial(id string, dial connectors.DialFunc) connectors.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c := b.Known(id)
		if c == nil || ctx.Value(person{}) != nil { // a login that is not kept yet
			return dial(ctx, network, address)
		}
		if f := c.mayDial(); f != nil {
			return nil, f
		}
		conn, err := dial(ctx, network, address)
		if fault.Is(err, fault.SystemUnreachable) && ctx.Err() == nil {
			c.dialFailed(fault.From(err, fault.HopNetwork))
			err = shared(err)
		}
		return conn, err
	}
}

// mayDial is nil unless the circuit is open.
func (c *Connection) mayDial() *fault.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.circuit.wait() > 0 {
		return held(time.Now(), &c.circuit, fault.ScopeConnection, "this connection")
	}
	return nil
}

func (c *Connection) dialFailed(f *fault.Error) {
	c.mu.Lock()
	n := news{c: c, now: time.Now()}
	n.moved(Place{}, &c.circuit, c.circuit.failed(n.now, false, f))
	n.lost(newTold(n.now, f, ""))
	c.touches++
	c.mu.Unlock()
	n.tell()
}

// Reset closes the connection's circuits, and forgets that its system asked for fewer calls or refused the login: the next
// call is made. What is known of its state stays until then.
func (c *Connection) Reset() {
	c.mu.Lock()
	n := news{c: c, now: time.Now()}
	n.moved(Place{}, &c.circuit, c.circuit.reset())
	for p, cell := range c.cells {
		n.moved(p, &cell.circuit, cell.circuit.reset())
	}
	c.throttle = throttle{}
	c.login.refusal, c.login.until, c.login.pause = nil, time.Time{}, 0
	c.probe.due = n.now
	n.turned()
	c.mu.Unlock()
	n.tell()
}

// Renewed notes that the connection has another login, which was proved a moment ago: nothing of the former one counts.
func (c *Connection) Renewed(version string) {
	c.mu.Lock()
	n := news{c: c, now: time.Now()}
	n.moved(Place{}, &c.circuit, c.circuit.reset())
	c.login, c.throttle = login{state: c.login.state, since: c.login.since}, throttle{}
	clear(c.cells)
	n.reached()
	c.login.accepted(n.now)
	c.system.version = version
	c.probe = schedule{due: n.now.Add(withinAMinute()), tried: n.now}
	n.turned()
	c.mu.Unlock()
	n.tell()
}
