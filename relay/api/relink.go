package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// newLogin is the body of PUT /connections/{id}/credentials and of POST /connections/{id}/reconnect: what is not given stays
// as it was.
type newLogin struct {
	loginWish
	Agent string `json:"agent,omitempty"` // which of the site's agents is to hold it, if the one that held it was revoked; the relay chooses if left out
}

func (a *API) newLogin(w http.ResponseWriter, r *http.Request) (newLogin, error) {
	body, err := a.readBody(w, r)
	if err != nil {
		return newLogin{}, err
	}
	wish, err := decode[newLogin](body)
	if err != nil {
		return newLogin{}, err
	}
	problem := fault.New(fault.InvalidRequest, "The login cannot be taken so.")
	if wish.examine(problem); wish.Credentials == nil && wish.Sealed == nil {
		problem.Member("credentials", "REQUIRED", "send credentials or sealed_credentials; {} for a system without a login")
	}
	if len(problem.Fields) > 0 {
		return newLogin{}, problem
	}
	return wish, nil
}

// over completes the wish with the settings that the connection has.
func (n *newLogin) over(c store.Connection) {
	if n.Settings == nil {
		n.Settings = orEmpty(c.Settings)
	}
}

// relink gives a connection another login: the same id, the same token. The agent logs in first, and a login that fails
// changes nothing. A connection whose agent was revoked goes to another agent of the site.
func (a *API) relink(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	wish, err := a.newLogin(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	c, err := a.store.Connection(ctx, p.OrganisationID, id)
	switch {
	case err != nil:
		return err
	case !c.Live():
		return a.stateOf(ctx, p, id, store.ErrState)
	}
	about(w, ofConnection(c))
	leave, err := a.logins.enter(id)
	if err != nil {
		return fault.New(fault.Conflict, "Another login of the connection is being tried.").At(fault.HopRelay).
			Reaches(fault.ScopeConnection).Ended(fault.NotSent).After(forgetTime)
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, createTime, errTimeout)
	defer cancel()
	wish.over(c)
	told := newTeller[hopDocument, connectionDocument](ctx, a, w, r)
	c, err = a.renew(ctx, p, c, wish, told.step)
	if err == nil {
		about(w, ofConnection(c))
	}
	return told.end(http.StatusOK, a.show(c), err)
}

// renew has the agent log in with the new login, and notes it.
func (a *API) renew(ctx context.Context, p *auth.Principal, c store.Connection, wish newLogin, told steps) (store.Connection, error) {
	start := time.Now()
	told.pass("client", 0, fmt.Sprintf("the request is sound, and the role %s may relink", p.Role))
	var err error
	if c.AgentID, err = a.holder(ctx, c, wish.Agent); err != nil {
		return c, err
	}
	system, err := a.system(ctx, p.OrganisationID, c.SiteID, c.System)
	if err != nil {
		return c, err
	}
	if err := wish.fits(system); err != nil {
		return c, err
	}
	done, err := a.hub.Opening(ctx, c.AgentID)
	if err != nil {
		return c, fault.From(context.Cause(ctx), fault.HopRelay)
	}
	defer done()
	told.pass("relay", time.Since(start), "the connection is "+string(c.State))
	if err := a.login(ctx, c, wish.loginWish, told); err != nil {
		return c, refusedLogin(err)
	}
	relinked, err := a.store.RelinkConnection(context.WithoutCancel(ctx), p.OrganisationID, c.ID,
		store.NewLogin{AgentID: c.AgentID, Settings: wish.Settings}, note(ctx, p))
	if errors.Is(err, store.ErrState) { // it was disconnected meanwhile: the agent must not keep what it took
		a.forget(ctx, c)
		return c, a.stateOf(ctx, p, c.ID, err)
	}
	return relinked, err
}

// holder gives the agent that is to hold a connection's new login: the one that holds it, and where that was revoked, which
// is for ever, another one. What the former agent's journal knew of idempotency keys is lost with it.
func (a *API) holder(ctx context.Context, c store.Connection, wanted string) (string, error) {
	agent, err := a.store.Agent(ctx, c.AgentID)
	switch {
	case err != nil:
		return "", err
	case !agent.RevokedAt.IsZero():
		return a.chooseAgent(ctx, c.OrganisationID, c.SiteID, wanted)
	case wanted != "" && wanted != c.AgentID:
		return "", fault.New(fault.Conflict, "The connection is held by an agent that is not revoked.").At(fault.HopRelay).
			Reaches(fault.ScopeConnection).Ended(fault.NotSent).Member("agent", "INVALID", "leave it out, or name %s", c.AgentID).
			Advise("Leave `agent` out. If the agent is lost, revoke it first (DELETE /sites/{id}/agents/{agent}): then another takes the connection.")
	}
	return c.AgentID, nil
}

// reconnect makes a new connection like one that was disconnected: the same site, system, name and, unless given anew,
// settings; with an id and a token of its own. The agent logs in first, and the credits are taken again.
func (a *API) reconnect(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	login, err := a.newLogin(w, r)
	if err != nil {
		return err
	}
	c, err := a.store.Connection(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	about(w, ofConnection(c))
	if c.State != store.Disconnected {
		e := fault.New(fault.Conflict, "The connection is %s, not disconnected.", c.State).At(fault.HopRelay).Reaches(fault.ScopeConnection).
			Ended(fault.NotSent).Advise("For another login, relink it: PUT /connections/{id}/credentials.")
		e.ConnectionID = c.ID
		return e
	}
	if _, err := a.store.Site(ctx, p.OrganisationID, c.SiteID); errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "The connection's site was deleted.").Reaches(fault.ScopeSite).Ended(fault.NotSent).Because(err).
			Advise("Make a site, enrol an agent at it, and make a new connection there: POST /connections.")
	}
	login.over(c)
	return a.create(ctx, w, r, p, connectionWish{
		loginWish: login.loginWish, Site: c.SiteID, System: c.System, Name: c.Name, Agent: login.Agent, Metadata: c.Metadata,
	})
}
