package rest

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"

	"gantry/connectors"
	"gantry/connectors/web"
)

// grant gives a login that is not about to end.
func (c *conn) grant(ctx context.Context) (*web.Grant, error) {
	for {
		g, err := c.session.Get(ctx)
		if err != nil || !g.Over() {
			return g, err
		}
		c.session.Expired(g)
	}
}

// reply is what a request came to.
type reply struct {
	none   bool // the system said: there is none
	value  any
	header http.Header
	from   string // the address that it came from
	sum    [sha256.Size]byte
	login  *web.Grant
}

// call makes an exchange with the login. Where the system says that the login is over it is renewed, once: the request was
// refused before it did anything.
func (c *conn) call(ctx context.Context, r web.Request, none []int) (*reply, error) {
	for renewed := false; ; renewed = true {
		g, err := c.grant(ctx)
		if err != nil {
			return nil, err
		}
		response, err := c.send(ctx, g, r)
		if err != nil {
			return nil, err
		}
		out := &reply{header: response.Header, login: g, from: r.URL, sum: sha256.Sum256(response.Body)}
		if slices.Contains(none, response.Status) {
			out.none = true
			return out, nil
		}
		if out.value, err = c.answer(response); err == nil {
			return out, nil
		}
		if c.mayRenew(g, err) && !renewed {
			continue
		}
		return nil, c.refusedFor(g, err)
	}
}

func (c *conn) send(ctx context.Context, g *web.Grant, r web.Request) (*web.Response, error) {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Accept", c.media())
	g.Apply(r.Header)
	return c.web.Do(ctx, r)
}

// isOver tells a refusal of the login from any other.
func (c *conn) isOver(err error) (*connectors.Failure, bool) {
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok || f.Kind != connectors.Answered {
		return nil, false
	}
	status, _ := f.Source["http"].(int64)
	return f, slices.Contains(c.protocol.login.ends(), int(status))
}

// mayRenew throws a login away that is over, and tells whether there can be another.
func (c *conn) mayRenew(g *web.Grant, err error) bool {
	if _, over := c.isOver(err); !over || !c.renews() {
		return false
	}
	c.session.Expired(g)
	return true
}

// refusedFor remembers that the system refuses a login that is sent with every call: it is not sent again.
func (c *conn) refusedFor(g *web.Grant, err error) error {
	if _, over := c.isOver(err); !over {
		return err
	}
	err = atTheLogin(err)
	if f, ok := errors.AsType[*connectors.Failure](err); ok && !c.renews() {
		c.session.Refuse(g, f)
	}
	return err
}

// proved makes sure that the login holds, and gives the one that does.
func (c *conn) proved(ctx context.Context) (*web.Grant, error) {
	for renewed := false; ; renewed = true {
		g, err := c.grant(ctx)
		if err != nil || c.protocol.prove == nil {
			return g, err
		}
		if err = c.proof(ctx, g); err == nil {
			return g, nil
		}
		if c.mayRenew(g, err) && !renewed {
			continue
		}
		return nil, c.refusedFor(g, err)
	}
}

// proof makes the request that fails without a login; nil where the definition knows of none.
func (c *conn) proof(ctx context.Context, g *web.Grant) error {
	request := c.protocol.prove
	if request == nil && c.check != nil {
		request = c.check.request
	}
	if request == nil {
		return nil
	}
	r, err := request.render(c.rendering(c.vars), nil)
	if err != nil {
		return err
	}
	r.Effect = false // it has none that would matter
	response, err := c.send(ctx, g, r)
	if err != nil {
		return err
	}
	_, err = c.answer(response)
	return err
}
