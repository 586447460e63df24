package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/hub"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// createTime is the budget of a first login.
const createTime = 60 * time.Second

// maxMetadata bounds the caller's own notes on a connection, in bytes.
const maxMetadata = 16 << 10

// connectionWish is the body of POST /connections. Credentials travel through and are kept nowhere, sealed or not.
type connectionWish struct {
	Site        string          `json:"site"`
	System      string          `json:"system"`
	Name        string          `json:"name"`
	Agent       string          `json:"agent,omitempty"`              // which of the site's agents is to hold it; the relay chooses if left out
	Settings    json.RawMessage `json:"settings,omitempty"`           // the members of the system's login form that are not secret
	Credentials json.RawMessage `json:"credentials,omitempty"`        // the members of the login form that are `writeOnly`
	Sealed      json.RawMessage `json:"sealed_credentials,omitempty"` // the credentials, sealed to the agent's key; instead of `credentials`
	Metadata    json.RawMessage `json:"metadata,omitempty"`           // your own notes on the connection, up to 16 KiB
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
	ctx, cancel := context.WithTimeoutCause(ctx, createTime, errTimeout)
	defer cancel()
	system, err := a.system(ctx, p.OrganisationID, wish.Site, wish.System)
	if err != nil {
		return err
	}
	if err := wish.fits(system); err != nil {
		return err
	}
	created, err := a.connect(ctx, p.OrganisationID, wish, system)
	if err != nil {
		return err
	}
	c := created.Connection
	about(w, store.Subject{Target: c.ID, SiteID: c.Site, AgentID: c.Agent, ConnectionID: c.ID})
	w.Header().Set("Location", "/api/v1/connections/"+c.ID)
	return reply(w, http.StatusCreated, created)
}

// connect reserves the connection, has the agent log in and activates it. The settings are stored last: only once the
// agent took them is it sure that no secret was typed into one of them.
func (a *API) connect(ctx context.Context, organisation string, wish connectionWish, system wire.System) (connectionToken, error) {
	agent, err := a.chooseAgent(ctx, organisation, wish)
	if err != nil {
		return connectionToken{}, err
	}
	done, err := a.hub.Opening(ctx, agent)
	if err != nil {
		return connectionToken{}, fault.From(context.Cause(ctx), fault.HopRelay)
	}
	defer done()
	row, err := a.store.ReserveConnection(ctx, store.NewConnection{
		OrganisationID: organisation, SiteID: wish.Site, AgentID: agent, System: wish.System, Name: wish.Name, Tier: system.Tier,
		Metadata: wish.Metadata,
	})
	if err != nil {
		return connectionToken{}, err
	}
	if err := a.login(ctx, row, wish); err != nil {
		a.abandon(ctx, row)
		return connectionToken{}, nothingKept(err)
	}
	text, hash := auth.NewToken(auth.ConnectionToken)
	active, err := a.store.ActivateConnection(ctx, row.ID, hash, wish.Settings)
	if err != nil {
		a.abandon(ctx, row)
		return connectionToken{}, err
	}
	return connectionToken{a.show(active), text}, nil
}

// login asks the agent to log in, and to keep the login if that works.
func (a *API) login(ctx context.Context, row store.Connection, wish connectionWish) error {
	body, err := json.Marshal(wire.OpenConnection{
		Organisation: row.OrganisationID, Site: row.SiteID, System: row.System, Name: row.Name,
		Settings: wish.Settings, Credentials: wish.Credentials, Sealed: wish.Sealed,
	})
	if err != nil {
		return fault.New(fault.Internal, "The login cannot be encoded.") // the cause might quote it
	}
	c := &call{connection: row, method: http.MethodPut, path: wire.ConnectionPath(row.ID), body: body, operation: "connect"}
	response, err := a.send(ctx, hub.Calls, c, createTime-budgetMargin)
	if err != nil {
		return err
	}
	defer closeBody(response)
	if response.StatusCode != http.StatusOK {
		return a.complete(strange(c, "status %d", response.StatusCode), c)
	}
	return nil
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
	for name, object := range map[string]*json.RawMessage{
		"settings": &c.Settings, "credentials": &c.Credentials, "sealed_credentials": &c.Sealed, "metadata": &c.Metadata,
	} {
		if !emptyOrObject(object) {
			problem.Member(name, "INVALID", "must be an object")
		}
	}
	if len(c.Metadata) > maxMetadata {
		problem.Member("metadata", "TOO_LONG", "at most %d bytes", maxMetadata)
	}
	if c.Credentials != nil && c.Sealed != nil {
		problem.Member("sealed_credentials", "INVALID", "send either credentials or sealed_credentials")
	}
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

// emptyOrObject takes null as absent.
func emptyOrObject(raw *json.RawMessage) bool {
	if len(*raw) == 0 || string(*raw) == "null" {
		*raw = nil
		return true
	}
	return (*raw)[0] == '{'
}

// fits keeps credentials out of the settings, which the relay stores: only members that the system's login form names,
// and does not call secret, may stand there.
func (c *connectionWish) fits(system wire.System) error {
	var form struct {
		Properties map[string]struct {
			WriteOnly bool `json:"writeOnly"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(system.Login, &form); err != nil {
		return fault.New(fault.Internal, "The system's login form cannot be read.").Because(err)
	}
	var settings map[string]json.RawMessage
	if err := json.Unmarshal(c.Settings, &settings); err != nil {
		return fault.New(fault.InvalidRequest, "The settings must be an object.").Member("settings", "INVALID", "must be an object")
	}
	problem := fault.New(fault.InvalidRequest, "The settings do not fit the system's login form.").
		Advise("See GET /systems/%s for the form.", system.ID)
	for name := range settings {
		property, known := form.Properties[name]
		switch {
		case len(problem.Fields) == 16:
		case !known:
			problem.Member("settings."+clip(name), "UNKNOWN", "the login form has no such member")
		case property.WriteOnly:
			problem.Member("settings."+clip(name), "INVALID", "this is a secret: it belongs into credentials")
		}
	}
	if len(problem.Fields) > 0 {
		return problem
	}
	return nil
}
