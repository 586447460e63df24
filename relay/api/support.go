package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/hub"
	"gantry/relay/store"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// Bounds of what support runs at an agent. The agent has limits of its own, which are tighter.
const (
	connectionTime = 14 * time.Second // of 15 s: the answer is given whatever the agent does
	agentTime      = 30 * time.Second
	deepTime       = 150 * time.Second
	bundleTime     = 150 * time.Second
	logsTime       = 20 * time.Minute
	maxReport      = 4 << 20 // bytes
	maxBundle      = 80 << 20
	maxLogs        = 20 << 20

	defaultLines = 200
	maxLines     = 10_000
)

// runs bounds what support runs: each subject has a bucket of its own, and one run of a kind at a time.
type runs struct {
	limiter *auth.Limiter
	places  *gate
}

func newRuns() runs {
	return runs{limiter: auth.NewLimiter(0.2, 5, nil), places: newGate(1, "runs of support")}
}

func (r *runs) enter(kind, subject string) (leave func(), err error) {
	if leave, err = r.places.enter(kind + " " + subject); err != nil {
		return nil, fault.New(fault.Overloaded, "Such a run of support is under way already.").Reaches(fault.ScopeSite).After(5 * time.Second)
	}
	quota := r.limiter.Take(subject)
	if err := quota.Err(); err != nil {
		leave()
		return nil, fault.New(fault.RateLimitExceeded, "Support asks too often.").Reaches(fault.ScopeSite).After(max(quota.Wait, time.Second))
	}
	return leave, nil
}

// actor names who asks, for the agent's own record.
func actor(p *auth.Principal) string {
	if p.TokenID == "" {
		return fmt.Sprintf("%s, %s", p.Name, p.Role)
	}
	return fmt.Sprintf("%s (%s), %s", p.TokenID, printable(p.Name), p.Role)
}

// printable makes a name fit for a header.
func printable(name string) string {
	b := []byte(clip(name))
	for i, c := range b {
		if c < 0x20 || c > 0x7e {
			b[i] = '?'
		}
	}
	return string(b)
}

// agentOf finds an agent of the site that the path names.
func (a *API) agentOf(ctx context.Context, r *http.Request, p *auth.Principal) (store.Agent, error) {
	agent, err := a.store.Agent(ctx, r.PathValue("agent"))
	if err == nil && (agent.OrganisationID != p.OrganisationID || agent.SiteID != r.PathValue("id") || !agent.RevokedAt.IsZero()) {
		err = store.ErrNotFound
	}
	return agent, err
}

// doctorWish is the body of POST /sites/{id}/agents/{agent}/diagnose.
type doctorWish struct {
	Deep bool `json:"deep,omitempty"` // also what takes long: throughput, quiet connections
}

// diagnoseAgent runs the agent's doctor, and gives its report as the agent's own command line does.
func (a *API) diagnoseAgent(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.optionalBody(w, r)
	if err != nil {
		return err
	}
	wish, err := decode[doctorWish](body)
	if err != nil {
		return err
	}
	agent, err := a.agentOf(ctx, r, p)
	if err != nil {
		return err
	}
	leave, err := a.runs.enter("diagnose", agent.ID)
	if err != nil {
		return err
	}
	defer leave()
	limit := agentTime
	if wish.Deep {
		limit = deepTime
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit + a.limits.ClientStall))
	told := newTeller[check.Result, check.Report](ctx, a, w, r)
	report, err := a.report(ctx, store.Connection{AgentID: agent.ID}, p, wire.Diagnose{Scope: wire.ScopeAgent, Deep: wish.Deep}, limit, told.step)
	return told.end(http.StatusOK, report, err)
}

// report asks an agent for a diagnosis, and tells of each result as it comes. What comes back is read as the report that it
// should be: nothing else of the agent's passes through.
func (a *API) report(ctx context.Context, of store.Connection, p *auth.Principal, wish wire.Diagnose, limit time.Duration, tell func(check.Result)) (check.Report, error) {
	body, err := json.Marshal(wish)
	if err != nil {
		return check.Report{}, fmt.Errorf("encode wish for a diagnosis: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
	defer cancel()
	c := &call{
		connection: of, method: http.MethodPost, path: wire.PathDiagnose, body: body, actor: actor(p), accept: wire.NDJSON, reads: true,
		operation: "diagnose",
	}
	response, err := a.send(ctx, hub.Calls, c, limit-budgetMargin)
	if err != nil {
		return check.Report{}, err
	}
	defer closeBody(response)
	report, err := readReport(response, tell)
	switch {
	case errors.Is(err, errNoReport):
		return report, a.complete(strange(c, "%v", err), c)
	case err != nil:
		return report, a.complete(a.broken(ctx, a.lost(err), c), c)
	}
	return report, nil
}

// bundle passes an agent's support bundle through.
func (a *API) bundle(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	c := &call{method: http.MethodPost, path: wire.PathBundle, operation: "bundle"}
	w.Header().Set("Content-Disposition", `attachment; filename="gantry-bundle"`)
	return a.through(ctx, w, r, p, c, "application/octet-stream", bundleTime, maxBundle)
}

// logs passes an agent's log lines through, with `follow` as they come.
func (a *API) logs(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	query, err := parameters(r, "lines", "follow")
	if err != nil {
		return err
	}
	lines, follow := defaultLines, query.Get("follow")
	if given := query.Get("lines"); given != "" {
		if lines, err = strconv.Atoi(given); err != nil || lines < 0 || lines > maxLines {
			return badParameter("lines", "a number from 0 to %d", maxLines)
		}
	}
	if follow != "" && follow != "true" && follow != "false" {
		return badParameter("follow", "true or false")
	}
	c := &call{method: http.MethodGet, path: wire.PathLogs, operation: "logs", query: url.Values{"lines": {strconv.Itoa(lines)}, "follow": {follow}}}
	return a.through(ctx, w, r, p, c, "text/plain; charset=utf-8", logsTime, maxLogs)
}

// through runs something at an agent whose answer flows on in constant memory, up to a limit.
func (a *API) through(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal, c *call, kind string, limit time.Duration, size int64) error {
	agent, err := a.agentOf(ctx, r, p)
	if err != nil {
		return err
	}
	leave, err := a.runs.enter(c.operation, agent.ID)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
	defer cancel()
	c.connection, c.actor, c.reads = store.Connection{AgentID: agent.ID}, actor(p), true
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit + a.limits.ClientStall))
	response, err := a.send(ctx, hub.Bulk, c, 0)
	if err != nil {
		w.Header().Del("Content-Disposition")
		return err
	}
	defer closeBody(response)
	if response.StatusCode != http.StatusOK {
		return a.complete(strange(c, "status %d", response.StatusCode), c)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	_ = control.Flush() // somebody may be following logs that say nothing yet
	sent, err := a.pump(control, prompt{w, control}, io.LimitReader(response.Body, size+1))
	switch {
	case err != nil:
		return torn{a.complete(a.broken(ctx, a.lost(err), c), c)}
	case sent > size:
		return torn{a.complete(excessive(c), c)}
	}
	return nil
}

// prompt sends what is written at once.
type prompt struct {
	w       io.Writer
	control *http.ResponseController
}

// Write implements io.Writer.
func (p prompt) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	if err == nil {
		err = p.control.Flush()
		if errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
	}
	return n, err
}
