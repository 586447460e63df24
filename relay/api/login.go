package api

import (
	"context"
	"encoding/json"
	"net/http"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// loginWish is what a login is made with. Credentials travel through and are kept nowhere, sealed or not.
type loginWish struct {
	Settings    json.RawMessage `json:"settings,omitempty" openapi:"object"`           // the members of the system's login form that are not secret
	Credentials json.RawMessage `json:"credentials,omitempty" openapi:"object"`        // the members of the login form that are `writeOnly`
	Sealed      json.RawMessage `json:"sealed_credentials,omitempty" openapi:"object"` // the credentials, sealed to the agent's key; instead of `credentials`
}

// login asks the agent to log in, and to keep the login if that works.
func (a *API) login(ctx context.Context, row store.Connection, wish loginWish) error {
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
