package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// createTime is the budget of a first login.
const createTime = 60 * time.Second

// maxMetadata bounds the caller's own notes on a connection, in bytes.
const maxMetadata = 16 << 10

// connectionWish is the body of POST /connections.
type connectionWish struct {
	loginWish
	Site     string          `json:"site"`
	System   string          `json:"system"`
	Name     string          `json:"name"`
	Agent    string          `json:"agent,omitempty"`                     // which of the site's agents is to hold it; the relay chooses if left out
	Metadata json.RawMessage `json:"metadata,omitempty" openapi:"object"` // your own notes on the connection, up to 16 KiB
}

// createConnection logs in through the agent first. A login that fails leaves nothing behind: no row, no credits used.
func (a *API) createConnection(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	wish, err := decode[connectionWish](body)
	if err != nil {
		return err
	}
	if err := wish.check(); err != nil {
		return err
	}
	about(w, store.Subject{SiteID: clip(wish.Site)})
	return a.create(ctx, w, r, p, wish)
}

// create makes the connection that is wished for, and answers with it and its token.
func (a *API) create(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal, wish connectionWish) error {
	ctx, cancel := context.WithTimeoutCause(ctx, createTime, errTimeout)
	defer cancel()
	system, err := a.system(ctx, p.OrganisationID, wish.Site, wish.System)
	if err != nil {
		return err
	}
	if err := wish.fits(system); err != nil {
		return err
	}
	told := newTeller[hopDocument, connectionToken](ctx, a, w, r)
	created, err := a.connect(ctx, p, wish, system, told.step)
	if err == nil {
		c := created.Connection
		about(w, store.Subject{Target: c.ID, SiteID: c.Site, AgentID: c.Agent, ConnectionID: c.ID})
		w.Header().Set("Location", "/api/v1/connections/"+c.ID)
	}
	return told.end(http.StatusCreated, created, err)
}

// connect reserves the connection, has the agent log in and activates it. The settings are stored last: only once the
// agent took them is it sure that no secret was typed into one of them.
func (a *API) connect(ctx context.Context, p *auth.Principal, wish connectionWish, system wire.System, told steps) (connectionToken, error) {
	start := time.Now()
	told.pass("client", 0, fmt.Sprintf("the request is sound, and the role %s may connect systems", p.Role))
	agent, err := a.chooseAgent(ctx, p.OrganisationID, wish.Site, wish.Agent)
	if err != nil {
		return connectionToken{}, err
	}
	done, err := a.hub.Opening(ctx, agent)
	if err != nil {
		return connectionToken{}, fault.From(context.Cause(ctx), fault.HopRelay)
	}
	defer done()
	row, err := a.store.ReserveConnection(ctx, store.NewConnection{
		OrganisationID: p.OrganisationID, SiteID: wish.Site, AgentID: agent, System: wish.System, SystemName: clip(system.Product), Name: wish.Name,
		Tier: system.Tier, Metadata: wish.Metadata,
	})
	if errors.Is(err, store.ErrNoCredits) {
		return connectionToken{}, a.noCredits(ctx, p.OrganisationID, system)
	}
	if err != nil {
		return connectionToken{}, err
	}
	told.pass("relay", time.Since(start), fmt.Sprintf("credits: %d, which come back if the login fails", system.Tier))
	if err := a.login(ctx, row, wish.loginWish, told); err != nil {
		a.abandon(ctx, row)
		return connectionToken{}, nothingKept(err)
	}
	text, hash := auth.NewToken(auth.ConnectionToken)
	active, err := a.store.ActivateConnection(ctx, row.ID, hash, wish.Settings, note(ctx, p))
	if err != nil {
		a.abandon(ctx, row)
		return connectionToken{}, err
	}
	return connectionToken{a.show(active), text}, nil
}

// abandon takes back a connection that did not come to be, also when the caller is gone.
func (a *API) abandon(ctx context.Context, row store.Connection) {
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetTime)
	defer cancel()
	if err := a.store.DropConnection(clean, row.ID); err != nil {
		a.logger.ErrorContext(clean, "pending connection not dropped", "connection_id", row.ID, "error", err)
	}
	a.forget(clean, row)
}

// nothingKept completes the failure of a login: the id that it was tried under names nothing. What failed before the system
// was reached was not sent; everything else ends as if the system had said no.
func nothingKept(err error) error {
	e := fault.From(err, fault.HopRelay).Clone()
	e.ConnectionID, e.Entity = "", ""
	switch e.Hop {
	case fault.HopClient, fault.HopPolicy, fault.HopNetwork:
		return e.Ended(fault.NotSent)
	}
	if e.Outcome != fault.NotSent {
		e.Outcome = fault.Rejected
	}
	return e
}

// check tells everything at once that is wrong with a wish, without its values.
func (c *connectionWish) check() error {
	problem := fault.New(fault.InvalidRequest, "The connection cannot be made so.")
	for name, value := range map[string]string{"site": c.Site, "system": c.System, "name": c.Name} {
		if value == "" {
			problem.Member(name, "REQUIRED", "must not be empty")
		} else if len(value) > 200 {
			problem.Member(name, "TOO_LONG", "at most 200 bytes")
		}
	}
	if !emptyOrObject(&c.Metadata) {
		problem.Member("metadata", "INVALID", "must be an object")
	}
	if len(c.Metadata) > maxMetadata {
		problem.Member("metadata", "TOO_LONG", "at most %d bytes", maxMetadata)
	}
	c.examine(problem)
	if len(problem.Fields) > 0 {
		return problem
	}
	if c.Settings == nil {
		c.Settings = json.RawMessage("{}")
	}
	if c.Credentials == nil && c.Sealed == nil {
		c.Credentials = json.RawMessage("{}") // a system without a login: a file
	}
	return nil
}
