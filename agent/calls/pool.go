package calls

import (
	"context"
	"errors"
	"sync"
	"time"

	"gantry/agent/health"
	"gantry/agent/state"
	"gantry/connectors/definition"
	"gantry/tunnel/fault"
)

// openTimeout bounds the opening of a kept login, which serves every call that waits for it.
const openTimeout = 30 * time.Second

// opener logs in with a kept login.
type opener func(ctx context.Context, row state.Connection) (Engine, *definition.Definition, error)

// pool holds the connections that are in use. They are opened when first called, so that a broken system never keeps the
// agent from starting.
type pool struct {
	db   *state.DB
	book *health.Book
	open opener
	work sync.WaitGroup // openings

	mu          sync.Mutex
	connections map[string]*connection
}

func newPool(db *state.DB, book *health.Book, open opener) *pool {
	return &pool{db: db, book: book, open: open, connections: make(map[string]*connection)}
}

// find gives a connection that the agent holds, open or not. The error is a *fault.Error.
func (p *pool) find(ctx context.Context, id string) (*connection, error) {
	if c := p.known(id); c != nil {
		return c, nil
	}
	row, err := p.db.Connection(ctx, id)
	if errors.Is(err, state.ErrNoConnection) {
		return nil, fault.New(fault.NotFound, "The agent holds no login for this connection.").At(fault.HopAgent).Reaches(fault.ScopeConnection).
			Advise("The agent's state was lost or the connection was erased at the site: relink it.")
	}
	if err != nil {
		return nil, fault.From(err, fault.HopAgent)
	}
	return p.keep(newConnection(row, p.book.Connection(id))), nil
}

func (p *pool) known(id string) *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connections[id]
}

// keep adds a connection unless another call was first.
func (p *pool) keep(c *connection) *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.connections[c.row.ID]; first != nil {
		return first
	}
	p.connections[c.row.ID] = c
	return c
}

// replace puts a connection whose login was just proved in the place of the former one; nil only takes it away.
// Calls on the former are cancelled, for a reason.
func (p *pool) replace(id string, c *connection, why error) {
	p.mu.Lock()
	former := p.connections[id]
	delete(p.connections, id)
	if c != nil {
		p.connections[id] = c
	}
	p.mu.Unlock()
	if former != nil {
		former.retire(why)
	}
}

var errStops = errors.New("the agent stops")

// close ends every connection and waits for what was opening.
func (p *pool) close() {
	p.reset(errStops, func(*connection) bool { return true })
	p.work.Wait()
}

// reset closes the logins that are concerned; each is opened again when it is next called.
func (p *pool) reset(why error, concerned func(*connection) bool) {
	p.mu.Lock()
	var ended []*connection
	for id, c := range p.connections {
		if concerned(c) {
			ended = append(ended, c)
			delete(p.connections, id)
		}
	}
	p.mu.Unlock()
	for _, c := range ended {
		c.retire(why)
	}
}

// use gives the engine, opened if need be, and a context that ends when the connection is retired. The lease must be
// released.
func (p *pool) use(ctx context.Context, c *connection) (context.Context, *lease, error) {
	o, err := p.enter(c)
	if err != nil {
		return ctx, nil, err
	}
	select {
	case <-o.done:
	case <-ctx.Done():
		c.leave()
		return ctx, nil, context.Cause(ctx)
	}
	if o.err != nil {
		c.leave()
		return ctx, nil, o.err // shared by all who waited
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.life, func() { cancel(context.Cause(c.life)) })
	return ctx, &lease{Engine: o.engine, definition: o.definition, release: func() {
		stop()
		cancel(nil)
		c.leave()
	}}, nil
}

// enter counts a call and makes sure that an opening is done or under way.
func (p *pool) enter(c *connection) (*opening, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retired {
		return nil, fault.New(fault.Conflict, "The connection's login is being replaced.").At(fault.HopAgent).Reaches(fault.ScopeConnection).
			Ended(fault.NotSent).After(time.Second)
	}
	c.calls++
	if c.opening == nil {
		o := &opening{done: make(chan struct{})}
		c.opening = o
		p.work.Go(func() { p.openOnce(c, o) })
	}
	return c.opening, nil
}

// openOnce runs without a caller's context: others may be waiting for it too.
func (p *pool) openOnce(c *connection, o *opening) {
	ctx, cancel := context.WithTimeout(c.life, openTimeout)
	defer cancel()
	var engine Engine
	var d *definition.Definition
	err := guard(func() (err error) {
		engine, d, err = p.open(ctx, c.row)
		return err
	})
	c.mu.Lock()
	o.engine, o.definition, o.err = engine, d, err
	if err != nil {
		c.opening = nil // the next call tries anew
	}
	closing := c.idle()
	c.mu.Unlock()
	close(o.done)
	closeEngine(closing)
}
