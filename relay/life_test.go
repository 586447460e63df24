package relay_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gantry/connectors/wire"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// shown is a connection as callers see it.
type shown struct {
	ID, State, Site, Agent, System, Name string
	Settings, Metadata                   map[string]any
	PausedAt                             *string `json:"paused_at"`
}

// kinds lists what was done to a connection. What package status makes of that, it tells a moment later.
func (c *cloud) kinds(id string) string {
	c.t.Helper()
	events, err := c.relay.Store().Events(context.Background(), c.organisation, id, store.EventFilter{Kind: "connection"}, store.Page{})
	if err != nil {
		c.t.Fatal(err)
	}
	var kinds []string
	for _, e := range events {
		if e.Kind == store.ConnectionStateChanged {
			continue
		}
		kinds = append(kinds, strings.TrimPrefix(string(e.Kind), "connection."))
	}
	return strings.Join(kinds, " ")
}

// TestPause: nothing is called, everything stays. What runs ends, but for a write that the agent has begun.
func TestPause(t *testing.T) {
	c, p, made := road(t, nil)
	id, begun, release := made.Connection.ID, make(chan string, 2), make(chan struct{})
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == wire.NDJSON {
			w.Header().Set("Content-Type", wire.NDJSON)
			_, _ = io.WriteString(w, `{"id":"1"}`+"\n")
			_ = http.NewResponseController(w).Flush()
			begun <- "stream"
			<-r.Context().Done()
			return
		}
		begun <- "write"
		<-release
		p.json(w, map[string]string{"id": "1"})
	})
	stream, err := http.DefaultClient.Do(c.request(t.Context(), made.Token, "GET", "/api/v1/vendors", "", "Accept", wire.NDJSON))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	written := make(chan reply)
	go func() { written <- c.call(made.Token, "PATCH", "/vendors/1", `{"name":"x"}`) }()
	<-begun
	<-begun

	paused := must[shown](t, 200, c.call(c.key, "POST", "/connections/"+id+"/pause", ""))
	if paused.State != "paused" || paused.PausedAt == nil {
		t.Errorf("it is shown as %+v", paused)
	}
	lines := bufio.NewScanner(stream.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), `{"error":`) { //nolint:revive // to the end
	}
	if !strings.Contains(lines.Text(), `"CONNECTION_PAUSED"`) {
		t.Errorf("the stream ends with %s", lines.Text())
	}
	close(release)
	if a := <-written; a.status != 200 {
		t.Errorf("the write that was begun: %d %s", a.status, a.body)
	}
	if told := p.told.Load(); !slices.Equal(told.Paused, []string{id}) || !slices.Contains(told.Connections, id) {
		t.Errorf("the agent was told %+v", told)
	}

	p.answers(func(http.ResponseWriter, *http.Request) { t.Error("a call came through") })
	for name, try := range map[string]struct {
		token, method, path string
		header              []string
		outcome             fault.Outcome
	}{
		"a read":                   {made.Token, "GET", "/vendors", nil, ""},
		"a write":                  {made.Token, "POST", "/vendors", nil, fault.NotSent},
		"capabilities":             {made.Token, "GET", "/connection/capabilities", nil, ""},
		"with an organisation key": {c.key, "GET", "/vendors", []string{"Gantry-Connection", id}, ""},
	} {
		body := map[bool]string{true: "{}"}[try.method == "POST"]
		a := c.call(try.token, try.method, try.path, body, try.header...)
		if e := a.problem(t); e.Code != fault.ConnectionPaused || e.Outcome != try.outcome || a.header.Get("Retry-After") == "" || e.ConnectionID != id {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if own := must[shown](t, 200, c.call(made.Token, "GET", "/connection", "")); own.State != "paused" {
		t.Errorf("its token sees it as %+v", own)
	}
	if l := must[struct{ Data []shown }](t, 200, c.call(c.key, "GET", "/connections?state=paused", "")); len(l.Data) != 1 {
		t.Errorf("listed: %+v", l)
	}
	if d := must[struct {
		BrokenAt string `json:"broken_at"`
	}](t, 200, c.call(c.key, "POST", "/connections/"+id+"/diagnose", "")); d.BrokenAt != "relay" {
		t.Errorf("the diagnosis: %+v", d)
	}

	p.answers(func(w http.ResponseWriter, _ *http.Request) { p.json(w, map[string]string{"id": "1"}) })
	for range 2 {
		if resumed := must[shown](t, 200, c.call(c.key, "POST", "/connections/"+id+"/resume", "")); resumed.State != "active" || resumed.PausedAt != nil {
			t.Errorf("it is shown as %+v", resumed)
		}
	}
	if told := p.told.Load(); len(told.Paused) != 0 {
		t.Errorf("the agent was told %+v", told)
	}
	if a := c.call(made.Token, "GET", "/vendors/1", ""); a.status != 200 {
		t.Errorf("after its resumption: %d %s", a.status, a.body)
	}
	if kinds := c.kinds(id); kinds != "created paused resumed" {
		t.Errorf("events: %s", kinds)
	}
}

// TestRelink: a login that fails changes nothing, one that works keeps id and token.
func TestRelink(t *testing.T) {
	c, p, made := road(t, nil)
	path := "/connections/" + made.Connection.ID
	relink := func(body string) reply { return c.call(c.key, "PUT", path+"/credentials", body) }
	for name, body := range map[string]string{
		"no login":        `{}`,
		"two logins":      `{"credentials":{},"sealed_credentials":{}}`,
		"no such setting": `{"credentials":{},"settings":{"colour":"red"}}`,
		"a secret":        `{"credentials":{},"settings":{"password":"x"}}`,
		"another agent":   `{"credentials":{},"agent":"agt_0"}`,
		"unknown member":  `{"credentials":{},"system":"press"}`,
	} {
		if e := relink(body).problem(t); e.Code != fault.InvalidRequest && e.Code != fault.Conflict {
			t.Errorf("%s: %v", name, e)
		}
	}
	p.answers(problem(fault.New(fault.CredentialsExpired, "The system refuses the login.")))
	e := relink(`{"credentials":{"password":"wrong"},"settings":{"host":"db2"}}`).problem(t)
	if e.Code != fault.CredentialsExpired || e.Outcome != fault.Rejected || e.ConnectionID != made.Connection.ID {
		t.Errorf("a refused login: %+v", e)
	}
	if kept := must[shown](t, 200, c.call(c.key, "GET", path, "")); kept.Settings["host"] != "db" || kept.State != "active" {
		t.Errorf("after a refused login: %+v", kept)
	}

	var sent string
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = r.Method + " " + r.URL.Path + " " + string(body)
		p.json(w, wire.Opened{System: "press", Version: "1"})
	})
	if relinked := must[shown](t, 200, relink(`{"credentials":{"password":"new"}}`)); relinked.Settings["host"] != "db" {
		t.Errorf("without settings: %+v", relinked)
	}
	if !strings.HasPrefix(sent, "PUT /v1"+path) || !strings.Contains(sent, `"password":"new"`) || !strings.Contains(sent, `"host":"db"`) {
		t.Errorf("the agent got %s", sent)
	}
	if relinked := must[shown](t, 200, relink(`{"credentials":{"password":"new"},"settings":{"host":"db2"}}`)); relinked.Settings["host"] != "db2" {
		t.Errorf("with settings: %+v", relinked)
	}
	if a := c.call(made.Token, "GET", "/connection", ""); a.status != 200 {
		t.Errorf("its token: %d %s", a.status, a.body)
	}
	if kinds := c.kinds(made.Connection.ID); kinds != "created relinked relinked" {
		t.Errorf("events: %s", kinds)
	}
	c.call(c.key, "POST", path+"/disconnect", "")
	if e := relink(`{"credentials":{}}`).problem(t); e.Code != fault.ConnectionDisconnected {
		t.Errorf("a disconnected one: %v", e)
	}
	if strings.Contains(c.logs.String(), "wrong") {
		t.Error("the log holds a password")
	}
}

// TestRelinkAndDisconnect disconnects while the agent logs in: the agent must not keep what it took.
func TestRelinkAndDisconnect(t *testing.T) {
	c, p, made := road(t, nil)
	path, begun, release, erased := "/connections/"+made.Connection.ID, make(chan bool), make(chan bool), make(chan bool, 4)
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-release
		p.json(w, wire.Opened{System: "press", Version: "1"})
	})
	p.erased.Store(&erased)
	relinked := make(chan reply)
	go func() { relinked <- c.call(c.key, "PUT", path+"/credentials", `{"credentials":{}}`) }()
	<-begun
	if e := c.call(c.key, "PUT", path+"/credentials", `{"credentials":{}}`).problem(t); e.Code != fault.Conflict || e.Outcome != fault.NotSent {
		t.Errorf("a second login at once: %v", e)
	}
	must[shown](t, 200, c.call(c.key, "POST", path+"/disconnect", ""))
	<-erased
	close(release)
	if e := (<-relinked).problem(t); e.Code != fault.ConnectionDisconnected {
		t.Errorf("the new login: %v", e)
	}
	<-erased
}

// TestReconnect makes a new connection like one that was disconnected.
func TestReconnect(t *testing.T) {
	c, p, made := road(t, nil)
	old := "/connections/" + made.Connection.ID
	if e := c.call(c.key, "POST", old+"/reconnect", `{"credentials":{}}`).problem(t); e.Code != fault.Conflict {
		t.Errorf("an active one: %v", e)
	}
	c.call(c.key, "POST", old+"/disconnect", "")
	p.answers(problem(fault.New(fault.CredentialsExpired, "The system refuses the login.")))
	if e := c.call(c.key, "POST", old+"/reconnect", `{"credentials":{}}`).problem(t); e.Code != fault.CredentialsExpired || e.ConnectionID != "" {
		t.Errorf("a refused login: %+v", e)
	}
	p.serve.Store(nil)
	again := must[struct {
		Connection shown
		Token      string
	}](t, 201, c.call(c.key, "POST", old+"/reconnect", `{"credentials":{"password":"x"}}`))
	now := again.Connection
	if now.ID == made.Connection.ID || again.Token == made.Token || now.Name != "Press 7" || now.Settings["host"] != "db" || now.State != "active" {
		t.Errorf("the new one: %+v", again)
	}
	if e := c.call(made.Token, "GET", "/connection", "").problem(t); e.Code != fault.ConnectionDisconnected {
		t.Errorf("the former token: %v", e)
	}
	c.link(p)
	e := c.call(c.key, "POST", old+"/reconnect", `{"credentials":{"password":"x"}}`).problem(t)
	for _, want := range []string{"Press costs 4 credits; 2 of the organisation's 10 are left", "Press 7 (" + now.ID + "): 4"} {
		if e.Code != fault.NoCredits || !strings.Contains(e.Detail, want) {
			t.Errorf("without credits: %v, lacks %q", e, want)
		}
	}
	c.call(c.key, "DELETE", "/sites/"+p.site, "")
	if e := c.call(c.key, "POST", old+"/reconnect", `{"credentials":{}}`).problem(t); e.Code != fault.NotFound || !strings.Contains(e.Detail, "site was deleted") {
		t.Errorf("its site is gone: %v", e)
	}
	if e := c.call(again.Token, "GET", "/vendors", "").problem(t); e.Code != fault.ConnectionDisconnected {
		t.Errorf("one that ended with its site: %v", e)
	}
}

// TestRevokedAgent: its connections say so, and go to another agent of the site with a new login.
func TestRevokedAgent(t *testing.T) {
	c, p, made := road(t, nil)
	path := "/connections/" + made.Connection.ID
	c.call(c.key, "DELETE", "/sites/"+p.site+"/agents/"+p.id, "")
	if e := c.call(made.Token, "GET", "/vendors", "").problem(t); e.Code != fault.AgentOffline || !strings.Contains(e.Detail, "revoked") || !strings.Contains(e.Advice, "Relink") {
		t.Errorf("a call: %v; %s", e, e.Advice)
	}
	if e := c.call(c.key, "PUT", path+"/credentials", `{"credentials":{}}`).problem(t); e.Code != fault.AgentOffline {
		t.Errorf("relink without another agent: %v", e)
	}
	token := must[struct {
		Token string `json:"enrolment_token"`
	}](t, 201, c.call(c.key, "POST", "/sites/"+p.site+"/enrolment-tokens", "{}"))
	other, err := c.enrolWith(token.Token)
	if err != nil {
		t.Fatal(err)
	}
	c.connect(other)
	if relinked := must[shown](t, 200, c.call(c.key, "PUT", path+"/credentials", fmt.Sprintf(`{"credentials":{},"agent":%q}`, other.id))); relinked.Agent != other.id {
		t.Errorf("relinked: %+v", relinked)
	}
	other.answers(func(w http.ResponseWriter, _ *http.Request) { other.json(w, map[string]string{"id": "1"}) })
	if a := c.call(made.Token, "GET", "/vendors/1", ""); a.status != 200 {
		t.Errorf("a call through the new agent: %d %s", a.status, a.body)
	}
}
