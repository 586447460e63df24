package calls

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gantry/agent/bundle/proof"
	"gantry/connectors"
	"gantry/connectors/passage"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// passthrough passes a request of the system's own on, where the plant's policy lets it through. One that may change something
// is journaled as every write is, with the system's answer as it came: whatever it was, the same key gets it again.
func (h *Handler) passthrough(ctx context.Context, r *http.Request) (answer, error) {
	connection, err := h.pool.find(ctx, r.PathValue("c"))
	if err != nil {
		return answer{}, notSent(err)
	}
	c := &entityCall{connection: connection, policy: h.Policy.Current(), operation: "passthrough", request: r}
	raw, err := readBody(r, maxBody)
	if err != nil {
		return answer{}, c.located(err)
	}
	p, err := h.allowed(c, raw)
	if err != nil {
		return answer{}, c.located(notSent(err))
	}
	a, err := h.pass(ctx, c, p, raw)
	return a, c.located(err)
}

func (h *Handler) pass(ctx context.Context, c *entityCall, p connectors.Passage, raw []byte) (answer, error) {
	secrets, err := Secrets(h.Vault, c.connection.row)
	if err != nil {
		return answer{}, unreadable(err)
	}
	run := func(ctx context.Context, l *lease) (answer, error) {
		passed, err := l.Pass(ctx, p)
		if saysNothing(passed, err) {
			l.permit.Mute()
		}
		if err != nil {
			return answer{}, err
		}
		h.Logger.InfoContext(ctx, "request passed", "connection", c.connection.row.ID, "request_id", c.request.Header.Get(wire.HeaderRequestID),
			"method", p.Method, "path", p.Path, "call", p.Call, "status", passed.Status)
		return ok(passage.Write(passed, withoutLogin(secrets, passed.Login)))
	}
	if !p.Effect {
		return h.read(ctx, c, run)
	}
	call, err := c.journalCall("/passthrough/"+url.PathEscape(p.Method+" "+p.Path+p.Call), raw)
	if err != nil {
		return answer{}, err
	}
	return h.once(ctx, c, call, effect{run: run, settle: untold})
}

// read passes a request that changes nothing; where it fails, nothing was changed.
func (h *Handler) read(ctx context.Context, c *entityCall, run func(context.Context, *lease) (answer, error)) (a answer, err error) {
	err = h.withEngine(ctx, c, func(ctx context.Context, l *lease) (err error) {
		a, err = run(ctx, l)
		return err
	})
	if err != nil {
		return answer{}, notSent(err)
	}
	return a, nil
}

// allowed reads the request, and asks the plant's policy.
func (h *Handler) allowed(c *entityCall, raw []byte) (connectors.Passage, error) {
	p, err := passage.Read(raw)
	if err != nil {
		return p, err
	}
	d, err := h.definition(c.connection.row.System)
	if err != nil {
		return p, err
	}
	switch form := d.Passes(); form {
	case p.Form:
	case "":
		return p, fault.New(fault.OperationNotSupported, "The system %s takes no requests of its own.", c.connection.row.System).
			Reaches(fault.ScopeConnection).Ended(fault.NotSent)
	case connectors.OverHTTP:
		return p, connectors.RefusePassage("call", "the system is called over HTTP: send `method` and `path`")
	default:
		return p, connectors.RefusePassage("method", "the system is called by method: send `call` and `params`")
	}
	reads, err := c.policy.Pass(c.connection.who(), p)
	if err != nil {
		return p, err
	}
	p.Effect = !reads
	return p, c.connection.awake(c.policy)
}

// saysNothing tells the ends that are no word on the connection: the path was its caller's choice, which may hang, break, or want
// another login than the connection's.
func saysNothing(passed connectors.Passed, err error) bool {
	f, bySystem := errors.AsType[*connectors.Failure](err)
	return passed.Status == http.StatusUnauthorized || bySystem && (f.Kind == connectors.TimedOut || f.Kind == connectors.Lost)
}

// untold is the settling of an effect of which nothing can be found out.
func untold(context.Context, *lease, time.Duration) (answer, bool, error) {
	return answer{}, false, fault.New(fault.Conflict, "Whether an earlier try of this request was done cannot be told.").At(fault.HopAgent).
		Ended(fault.Unknown).Advise("Look into the system. If it was not done, send it with a new Idempotency-Key.")
}

// withoutLogin gives what takes the login out of a text, in each of its usual forms: the credentials, and what was sent in their
// place.
func withoutLogin(credentials []proof.Secret, sent []string) func([]byte) []byte {
	all := slices.Clone(credentials)
	for _, text := range sent {
		all = append(all, proof.Secret{Value: []byte(text)})
	}
	scanner := proof.New(all)
	return func(text []byte) []byte {
		clean, _ := scanner.Redact(text)
		return clean
	}
}
