package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/relay/store"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// loginWish is what a login is made with. Credentials travel through and are kept nowhere, sealed or not.
type loginWish struct {
	Settings    json.RawMessage `json:"settings,omitempty" openapi:"object"`           // the members of the system's login form that are not secret
	Credentials json.RawMessage `json:"credentials,omitempty" openapi:"object"`        // the members of the login form that are `writeOnly`
	Sealed      json.RawMessage `json:"sealed_credentials,omitempty" openapi:"object"` // the credentials, sealed to the agent's key; instead of `credentials`
}

// steps is told of the hops of a login, as they are passed.
type steps func(hopDocument)

// pass tells that a hop is in order.
func (s steps) pass(hop string, took time.Duration, detail string) {
	h := hopDocument{Hop: hop, Status: check.Passed, MS: took.Milliseconds(), Detail: detail}
	h.judge()
	s(h)
}

// login asks the agent to log in, and to keep the login if that works.
func (a *API) login(ctx context.Context, row store.Connection, wish loginWish, told steps) error {
	body, err := json.Marshal(wire.OpenConnection{
		Organisation: row.OrganisationID, Site: row.SiteID, System: row.System, Name: row.Name,
		Settings: wish.Settings, Credentials: wish.Credentials, Sealed: wish.Sealed,
	})
	if err != nil {
		return fault.New(fault.Internal, "The login cannot be encoded.") // the cause might quote it
	}
	c := &call{connection: row, method: http.MethodPut, path: wire.ConnectionPath(row.ID), body: body, accept: wire.NDJSON, operation: "connect"}
	response, err := a.send(ctx, hub.Calls, c, createTime-budgetMargin)
	if err != nil {
		return err
	}
	defer closeBody(response)
	if response.StatusCode != http.StatusOK {
		return a.complete(strange(c, "status %d", response.StatusCode), c)
	}
	if now := a.hub.Presence(row.AgentID); now.Connected {
		told.pass("tunnel", now.RoundTrip, fmt.Sprintf("the agent answers, connected since %s", now.Since.UTC().Format(time.RFC3339)))
	}
	return a.watch(ctx, response, c, told)
}

// watch reads how the agent's login goes, to its end. An agent from before that answers with the end alone.
func (a *API) watch(ctx context.Context, response *http.Response, c *call, told steps) error {
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != wire.NDJSON {
		return nil
	}
	lines := json.NewDecoder(io.LimitReader(response.Body, maxReport))
	for {
		var line struct {
			Step  *check.Result
			End   *wire.Opened
			Error json.RawMessage
		}
		switch err := lines.Decode(&line); {
		case err != nil:
			return a.complete(a.broken(ctx, a.lost(err), c), c)
		case line.Error != nil:
			return a.complete(hub.Claim(bytes.NewReader(line.Error), c.write()), c)
		case line.End != nil:
			return nil
		case line.Step != nil:
			h := hopOf(stepOf(line.Step.Check, c.connection.ID), *line.Step)
			h.judge()
			told(h)
		}
	}
}

// refusedLogin completes the failure of a new login: whatever failed before the system was reached was not sent, and what
// the system refused changed nothing.
func refusedLogin(err error) error {
	e := fault.From(err, fault.HopRelay).Clone()
	e.Entity = ""
	switch e.Hop {
	case fault.HopClient, fault.HopPolicy, fault.HopNetwork:
		return e.Ended(fault.NotSent)
	case fault.HopSystem:
		return e.Ended(fault.Rejected)
	}
	return e
}

// examine tells what is wrong with a login's form, without its values.
func (l *loginWish) examine(problem *fault.Error) {
	for name, object := range map[string]*json.RawMessage{"settings": &l.Settings, "credentials": &l.Credentials, "sealed_credentials": &l.Sealed} {
		if !emptyOrObject(object) {
			problem.Member(name, "INVALID", "must be an object")
		}
	}
	if l.Credentials != nil && l.Sealed != nil {
		problem.Member("sealed_credentials", "INVALID", "send either credentials or sealed_credentials")
	}
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
func (l *loginWish) fits(system wire.System) error {
	var form struct {
		Properties map[string]struct {
			WriteOnly bool `json:"writeOnly"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(system.Login, &form); err != nil {
		return fault.New(fault.Internal, "The system's login form cannot be read.").Because(err)
	}
	var settings map[string]json.RawMessage
	if err := json.Unmarshal(l.Settings, &settings); err != nil {
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
