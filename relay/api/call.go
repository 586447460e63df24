package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/relay/store"
	"gantry/tunnel"
	"gantry/tunnel/fault"
)

// call is one call of a connection, parsed and bounded: all that travels to the agent.
type call struct {
	connection     store.Connection
	method         string
	path           string // of package wire, escaped
	query          url.Values
	body           []byte // nil: none
	idempotencyKey string
	ifMatch        string
	actor          string // of a run of support; empty: none
	accept         string // empty: any
	reads          bool   // also where the method is that of a write
	location       string // the path of the collection as the caller sees it, for Location

	entity, record, operation string // for problems, logs and metrics
}

// write reports whether the call may change something at the plant.
func (c *call) write() bool { return c.method != http.MethodGet && !c.reads }

// request builds the inner request. Nothing of the caller's header is copied: what may travel is named here.
func (c *call) request(ctx context.Context, budget time.Duration) (*http.Request, error) {
	target := url.URL{Scheme: "http", Host: "agent", RawQuery: c.query.Encode()}
	var body io.Reader
	if c.body != nil {
		body = bytes.NewReader(c.body)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, target.Scheme+"://"+target.Host+c.path, body)
	if err != nil {
		return nil, fault.New(fault.Internal, "The inner request cannot be built.").Because(err)
	}
	r.URL.RawQuery = target.RawQuery
	h := r.Header
	h.Set(wire.HeaderRequestID, requestIDOf(ctx))
	h.Set("User-Agent", "") // net/http would add its own
	if c.body != nil {
		h.Set("Content-Type", "application/json")
	}
	if budget > 0 {
		wire.SetBudget(h, budget)
	}
	if c.idempotencyKey != "" {
		h.Set(wire.HeaderIdempotencyKey, c.idempotencyKey)
	}
	if c.actor != "" {
		h.Set(wire.HeaderActor, c.actor)
	}
	if c.accept != "" {
		h.Set("Accept", c.accept)
	}
	if c.ifMatch != "" {
		h.Set(wire.HeaderIfMatch, c.ifMatch)
	}
	return r, nil
}

// budgetMargin is by how much the agent's budget is shorter than the relay's own, so that it is the agent, which knows
// why, that reports a timeout.
const budgetMargin = 250 * time.Millisecond

// send makes the inner request and gives the agent's answer, whose status is below 400. Every error is complete.
func (a *API) send(ctx context.Context, lane hub.Lane, c *call, budget time.Duration) (*http.Response, error) {
	inner, err := c.request(ctx, budget)
	if err != nil {
		return nil, err
	}
	response, err := a.hub.Do(c.connection.AgentID, lane, inner)
	if err != nil {
		return nil, a.complete(a.gone(ctx, a.broken(ctx, err, c), c), c)
	}
	if response.StatusCode >= http.StatusBadRequest {
		defer closeBody(response)
		return nil, a.complete(hub.Claim(response.Body, c.write()), c)
	}
	return response, nil
}

// broken classifies the end of a call that has no answer.
func (a *API) broken(ctx context.Context, err error, c *call) *fault.Error {
	problem := fault.From(err, fault.HopTunnel)
	if cause := endOf(ctx); cause != nil {
		if errors.Is(err, tunnel.ErrNotSent) && cause.Code == fault.SystemTimeout {
			cause = fault.New(fault.Overloaded, "No place for the call came free on the way to the agent.").At(fault.HopTunnel).Reaches(fault.ScopeSite)
		}
		cause.Outcome = problem.Outcome
		problem = cause
	}
	switch {
	case !c.write():
		problem.Outcome = ""
	case problem.Outcome == "":
		problem.Ended(fault.Unknown)
	}
	return problem
}

// gone says of an agent that is offline for ever that it is.
func (a *API) gone(ctx context.Context, problem *fault.Error, c *call) *fault.Error {
	if problem.Code != fault.AgentOffline {
		return problem
	}
	agent, err := a.store.Agent(ctx, c.connection.AgentID)
	if err != nil || agent.RevokedAt.IsZero() {
		return problem
	}
	problem = problem.Clone()
	problem.Detail = fmt.Sprintf("The connection's agent was revoked, %s, and does not come back. Nothing was sent.", agent.RevokedAt.Format(time.RFC3339))
	return problem.Advise("Relink the connection, with PUT /connections/{id}/credentials: another agent of the site takes it.")
}

// endOf gives the reason for which a call's context ended, as the fault that it is; nil while it has not ended.
func endOf(ctx context.Context) *fault.Error {
	if ctx.Err() == nil {
		return nil
	}
	return fault.From(context.Cause(ctx), fault.HopTunnel).Clone()
}

// complete adds what only the relay knows.
func (a *API) complete(e *fault.Error, c *call) *fault.Error {
	e.ConnectionID, e.AgentID = c.connection.ID, c.connection.AgentID
	return e.In(c.entity, c.operation, c.record)
}

func closeBody(r *http.Response) { _ = r.Body.Close() } // nothing is left to learn from it
