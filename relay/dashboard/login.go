package dashboard

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"gantry/tunnel/fault"
)

// loginPage is the login form of one system: for a new connection, for a new login of one (relink), or for one like another
// that was disconnected (reconnect).
type loginPage struct {
	Title, Lead string
	Action      string // where the form goes
	Button      string
	Back        connection // that the login is for; without an id: a new one
	System      system
	Site        site
	Agent       agent        // to whose key the login is sealed
	Name        string       // of a connection that is to be; empty: it has one
	Problem     *fault.Error // of the login that was just tried; nil: none was

	Needed, Optional []field
}

// login is what a person typed into the form. The browser has sealed what is secret.
type login struct {
	site, system, agent, name string
	settings                  map[string]any
	rawSettings, sealed       json.RawMessage
}

// typed reads the form. The page never takes a secret as it is.
func (v *visit) typed() (login, error) {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 256<<10)
	form := v.r.PostFormValue
	l := login{
		site: form("site"), system: form("system"), agent: form("agent"), name: form("name"),
		rawSettings: json.RawMessage(form("settings")), sealed: json.RawMessage(form("sealed")),
	}
	if err := json.Unmarshal(l.rawSettings, &l.settings); err != nil || !json.Valid(l.sealed) {
		return l, fault.New(fault.InvalidRequest, "The login was not sealed, so it was not taken.").
			Advise("The browser seals it to the agent's key with a script: allow scripts for this page, or connect with the API.")
	}
	return l, nil
}

func (v *visit) connectForm() error {
	return v.connectPage(login{site: v.r.URL.Query().Get("site"), system: v.r.PathValue("system")}, nil)
}

func (v *visit) connectPage(l login, problem *fault.Error) error {
	p := loginPage{
		Action: "/connect", Button: "Log in and connect", Name: l.name, Problem: problem,
		Lead: "The agent logs in first. A login that fails leaves nothing behind.",
	}
	if err := v.prepare(&p, l, ""); err != nil {
		return err
	}
	if p.Title = p.System.Name + " at " + p.Site.Name; p.Name == "" {
		p.Name = p.System.Name
	}
	return v.showLogin(p)
}

// prepare finds what the form needs: the system's fields, and the agent that will hold the login.
func (v *visit) prepare(p *loginPage, l login, holder string) error {
	if err := v.get("/sites/"+url.PathEscape(l.site), &p.Site); err != nil {
		return err
	}
	if err := v.get("/systems/"+url.PathEscape(l.system)+"?site="+url.QueryEscape(l.site), &p.System); err != nil {
		return err
	}
	able := func(a agent) bool { return a.State == "connected" && a.SealingKey != nil }
	at := slices.IndexFunc(p.Site.Agents, func(a agent) bool { return a.ID == holder })
	if at < 0 { // there is none yet, or it was revoked
		at = slices.IndexFunc(p.Site.Agents, able)
	}
	if at < 0 || !able(p.Site.Agents[at]) {
		return fault.New(fault.AgentOffline, "No agent of %s is connected: nobody there can log in.", p.Site.Name).
			Advise("Start the agent there (gantry-agent status on its machine says why it is away), then come back.")
	}
	p.Agent = p.Site.Agents[at]
	p.Needed, p.Optional = p.System.fields(l.settings)
	return nil
}

func (v *visit) showLogin(p loginPage) error {
	status := http.StatusOK
	if p.Problem != nil {
		status = p.Problem.Code.Spec().Status
	}
	v.show(status, "login", p.Title, p)
	return nil
}

// connect logs in with what the browser sealed.
func (v *visit) connect() error {
	l, err := v.typed()
	if err != nil {
		return err
	}
	wish := map[string]any{
		"site": l.site, "system": l.system, "agent": l.agent, "name": l.name, "settings": l.rawSettings, "sealed_credentials": l.sealed,
	}
	return v.made("/connections", wish, func(f *fault.Error) error { return v.connectPage(l, f) })
}

// made makes a connection and shows its token; again shows the form with what was wrong.
func (v *visit) made(path string, wish any, again func(*fault.Error) error) error {
	if v.told() {
		return watch(v, http.MethodPost, path, wish, "login", hop.Part, func(m newConnection) (line, error) {
			html, err := v.part("token", "content", v.tokenPage(m, true))
			return line{End: html, Whole: true, Title: m.Connection.Name + " · Gantry", Path: m.Connection.Path()}, err
		})
	}
	var m newConnection
	switch err := v.call(http.MethodPost, path, wish, &m); {
	case refused(err) != nil:
		return again(refused(err))
	case err != nil:
		return err
	}
	v.show(http.StatusOK, "token", m.Connection.Name, v.tokenPage(m, true))
	return nil
}

// newConnection is a connection with a token that was just made.
type newConnection struct {
	Connection connection
	Token      string
}

// tokenPage shows a token this once.
type tokenPage struct {
	newConnection
	New    bool   // the connection is new, too
	Relay  string // its address
	Entity string // that the system has, for an example
}

func (v *visit) tokenPage(m newConnection, fresh bool) tokenPage {
	p := tokenPage{newConnection: m, New: fresh, Relay: v.URL}
	var s system
	if err := v.get("/systems/"+url.PathEscape(m.Connection.System)+"?site="+url.QueryEscape(m.Connection.Site), &s); err == nil && len(s.Entities) > 0 {
		p.Entity = s.Entities[0].Name
	}
	return p
}

// refused gives a failure that a person can do something about where he is; nil: it is none of those.
func refused(err error) *fault.Error {
	f, ours := err.(*fault.Error) //nolint:errorlint // the API's answer, as it was read
	if !ours || f.Code == fault.AuthenticationFailed || f.Code == fault.TokenRevoked {
		return nil
	}
	return f
}

// relinkForm asks for a new login of a connection.
func (v *visit) relinkForm() error { return v.again("relink", login{}, nil) }

// reconnectForm asks for the login of a connection like one that was disconnected.
func (v *visit) reconnectForm() error { return v.again("reconnect", login{}, nil) }

func (v *visit) again(deed string, l login, problem *fault.Error) error {
	var c connection
	if err := v.get("/connections/"+url.PathEscape(v.r.PathValue("id")), &c); err != nil {
		return err
	}
	p := loginPage{Back: c, Action: c.Path() + "/" + deed, Problem: problem}
	if deed == "relink" {
		p.Title, p.Button = "A new login for "+c.Name, "Log in and relink"
		p.Lead = "The connection keeps its id, its token and what was synced. A login that fails changes nothing: the old one goes on."
	} else {
		p.Title, p.Button = "Connect "+c.Name+" again", "Log in and reconnect"
		p.Lead = "It becomes a new connection to the same system, with a token of its own. The old one, and what was synced under it, stays as it is."
	}
	if l.site, l.system = c.Site, c.System; l.settings == nil {
		l.settings = c.Settings
	}
	if err := v.prepare(&p, l, c.Agent); err != nil {
		return err
	}
	return v.showLogin(p)
}

// relink gives a connection another login.
func (v *visit) relink() error {
	l, err := v.typed()
	if err != nil {
		return err
	}
	c := connection{ID: v.r.PathValue("id")}
	wish := map[string]any{"settings": l.rawSettings, "sealed_credentials": l.sealed}
	path := c.Path() + "/credentials"
	if v.told() {
		return watch(v, http.MethodPut, path, wish, "login", hop.Part, func(c connection) (line, error) {
			html, err := v.part("login", "relinked", c)
			return line{End: html}, err
		})
	}
	err = v.call(http.MethodPut, path, wish, nil)
	if f := refused(err); f != nil {
		return v.again("relink", l, f)
	}
	return v.then(err, c.Path())
}

// reconnect makes a connection like one that was disconnected.
func (v *visit) reconnect() error {
	l, err := v.typed()
	if err != nil {
		return err
	}
	wish := map[string]any{"settings": l.rawSettings, "sealed_credentials": l.sealed}
	path := connection{ID: v.r.PathValue("id")}.Path() + "/reconnect"
	return v.made(path, wish, func(f *fault.Error) error { return v.again("reconnect", l, f) })
}
