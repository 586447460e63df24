package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/web"
)

var _ connectors.Passer = (*conn)(nil)

// Pass implements connectors.Passer. The body of an answer is what the system said without what belongs to the exchange: its
// result, or its error, which is none of ours.
func (c *conn) Pass(ctx context.Context, p connectors.Passage) (connectors.Passed, error) {
	call, err := c.passing(p)
	if err != nil {
		return connectors.Passed{}, err
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return connectors.Passed{}, err
	}
	defer c.lanes.Leave(lane.Calls)
	for renewed := false; ; renewed = true {
		login, err := c.session.Get(ctx)
		if err != nil {
			return connectors.Passed{}, err
		}
		answer, said, err := c.passOnce(ctx, login, call)
		if err != nil {
			return connectors.Passed{}, err
		}
		if renewed || said == nil || !c.dialect.refuses(c, said) || !c.loginEnded(ctx, login) {
			return passed(answer, login), nil
		}
	}
}

// passing makes the call, if the dialect has such calls.
func (c *conn) passing(p connectors.Passage) (invocation, error) {
	call := invocation{method: p.Call, effect: p.Effect}
	if p.Params != nil {
		call.params = []any{}
	}
	for _, one := range p.Params {
		call.params = append(call.params, one)
	}
	if p.Named != nil {
		call.named = map[string]any{}
	}
	for name, one := range p.Named {
		call.named[name] = one
	}
	return call, c.dialect.passes(c, call)
}

// passOnce makes one exchange. said is the system's refusal, for who looks whether it is one of the login; the error that of an
// exchange which gave no answer to this call.
func (c *conn) passOnce(ctx context.Context, login *grant, call invocation) (answer *web.Response, said *connectors.Failure, err error) {
	id := c.next.Add(1)
	request, err := c.dialect.request(c, login, id, call)
	if err != nil {
		return nil, nil, err
	}
	request.Effect, request.MaxBody = call.effect, connectors.MaxPassed
	if answer, err = c.web.Do(ctx, request); err != nil {
		return nil, nil, err
	}
	_, err = c.dialect.result(answer, id)
	said, _ = errors.AsType[*connectors.Failure](err)
	if said == nil || said.Status != statusStrange {
		return answer, said, nil
	}
	if call.effect {
		said.Kind, said.Sent = connectors.Lost, true // what it did, nobody can read
	}
	return nil, nil, said
}

// loginEnded tells whether a login is over that can be had anew, and throws it away.
func (c *conn) loginEnded(ctx context.Context, login *grant) bool {
	if !login.renewable {
		return false
	}
	if proof := c.dialect.proof(); proof.method != "" {
		_, err := c.post(ctx, login, proof)
		if f, failed := errors.AsType[*connectors.Failure](err); !failed || !c.dialect.refuses(c, f) {
			return false
		}
	}
	c.session.Expired(login)
	return true
}

func passed(answer *web.Response, login *grant) connectors.Passed {
	out := answer.Passed((&web.Grant{Value: login.header}).Secret())
	document, err := web.Decode(answer.Body)
	if envelope, ok := document.(map[string]any); ok && err == nil {
		delete(envelope, "jsonrpc")
		delete(envelope, "id")
		if body, err := json.Marshal(envelope); err == nil { // it came out of JSON
			out.Body = body
		}
	}
	return out
}
