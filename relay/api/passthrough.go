package api

import (
	"net/http"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/tunnel/fault"
)

// passthrough hands a request of the system's own to the agent, where the plant's policy judges it.
func (a *API) passthrough(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	ctx, err := a.auth.Call(r.Context(), p)
	c := &call{
		connection: *p.Connection, method: r.Method, operation: "passthrough", path: wire.ConnectionPath(p.Connection.ID) + "/passthrough",
	}
	if err == nil {
		err = a.fillPassthrough(w, r, c)
	}
	if err != nil {
		return a.unsent(err, c)
	}
	if c.reads { // as with entities, a write that the agent has begun outlives a pause and a new login
		r = r.WithContext(ctx)
	}
	return a.unary(w, r, c)
}

// fillPassthrough reads the document as far as the relay has to know it. That a method of a system changes nothing, only the
// plant can say.
func (a *API) fillPassthrough(w http.ResponseWriter, r *http.Request, c *call) (err error) {
	if _, err := parameters(r); err != nil {
		return err
	}
	if r.Header.Get(wire.HeaderIfMatch) != "" {
		return fault.New(fault.InvalidRequest, "A condition of the system's own request stands in its `headers`.").
			Member(wire.HeaderIfMatch, "UNKNOWN", "give it as a member of `headers`")
	}
	if c.body, err = a.readBody(w, r); err != nil {
		return err
	}
	request, err := decode[wire.Passthrough](c.body)
	c.reads = request.Method == http.MethodGet || request.Method == http.MethodHead
	if err != nil {
		return err
	}
	return c.conditions(r)
}
