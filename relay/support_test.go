package relay_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"gantry/connectors/wire"
	"gantry/relay/store"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// hops is a diagnosis as callers see it.
type hops struct {
	Status   string  `json:"status"`
	BrokenAt *string `json:"broken_at"`
	Hops     []struct {
		Hop, Status, ID, Entity, Detail, Advice string
		OK                                      *bool
	} `json:"hops"`
}

func (h hops) line() string {
	var all []string
	for _, one := range h.Hops {
		all = append(all, strings.TrimSuffix(one.Hop+"="+one.Status+":"+one.ID, ":"))
	}
	return strings.Join(all, " ")
}

// supported answers what support asks of an agent.
func supported(p *plant, answer func(w http.ResponseWriter, r *http.Request, wish wire.Diagnose)) {
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		var wish wire.Diagnose
		_ = json.NewDecoder(r.Body).Decode(&wish) // a bundle has no body
		answer(w, r, wish)
	})
}

// report is what an agent would say.
func report(connection string) check.Report {
	name := "connections." + connection + "."
	return check.Report{Schema: 1, Program: "gantry-agent", Status: check.Failed, Results: []check.Result{
		{Check: name + "definition", Status: check.Passed, Evidence: []string{"system press"}},
		{Check: name + "login", Status: check.Passed, MS: 7, Evidence: []string{"version 1"}},
		{Check: name + "read.items", Entity: "items", Status: check.Failed, ID: "CON-RIGHT", Finding: "The login may not", Fix: "Please", For: check.DBA, Evidence: []string{"denied"}},
		{Check: name + "read.vendors", Entity: "vendors", Status: check.Skipped, Cause: "the policy"},
		{Check: name + "calls", Status: check.Passed, Evidence: []string{"last success 3s ago"}},
	}}
}

func TestDiagnoseConnection(t *testing.T) {
	c, p, made := road(t, nil)
	path := "/connections/" + made.Connection.ID + "/diagnose"
	var actor string
	supported(p, func(w http.ResponseWriter, r *http.Request, wish wire.Diagnose) {
		actor = r.Header.Get(wire.HeaderActor)
		if wish.Scope != wire.ScopeConnection || wish.Connection != made.Connection.ID || r.Header.Get(wire.HeaderBudget) == "" {
			t.Errorf("asked for %+v", wish)
		}
		p.json(w, report(wish.Connection))
	})
	key := c.newKey(store.Support)
	got := must[hops](t, 200, c.call(key, "POST", path, ""))
	if want := "client=pass relay=pass tunnel=pass agent=pass login=pass read=fail:CON-RIGHT read=skip"; got.line() != want || *got.BrokenAt != "read" {
		t.Errorf("hops %s, broken at %s", got.line(), *got.BrokenAt)
	}
	if agent := got.Hops[3]; !strings.Contains(agent.Detail, "last success 3s ago") {
		t.Errorf("the agent's hop says %s", agent.Detail)
	}
	if read := got.Hops[5]; read.Entity != "items" || read.Advice != "Please" || *read.OK || got.Hops[6].OK != nil {
		t.Errorf("read %+v", read)
	}
	if !strings.HasPrefix(actor, "key_") || !strings.HasSuffix(actor, "(test), support") {
		t.Errorf("the agent is told of %q", actor)
	}
	if e := c.call(c.newKey(store.Read), "POST", path, "").problem(t); e.Code != fault.Forbidden {
		t.Errorf("a reader diagnoses: %v", e)
	}
	if e := c.call(key, "POST", "/connections/con_0/diagnose", "").problem(t); e.Code != fault.NotFound {
		t.Errorf("an unknown connection: %v", e)
	}
	last := c.audit("?last=2").Data
	if e := last[0]; e.Action != "connections.diagnose" || e.Connection != made.Connection.ID || e.Actor.Role != store.Support || e.Result != "OK" {
		t.Errorf("audited as %+v", e)
	}
	if last[1].Result != "NOT_FOUND" {
		t.Errorf("audited as %+v", last[1])
	}
}

// TestDiagnoseWithoutAnAgent asks where the agent does not hold the connection, answers nonsense, and is gone.
func TestDiagnoseWithoutAnAgent(t *testing.T) {
	c, p, made := road(t, nil)
	path := "/connections/" + made.Connection.ID + "/diagnose"
	supported(p, func(w http.ResponseWriter, _ *http.Request, _ wire.Diagnose) {
		fault.New(fault.NotFound, "The agent holds no login.").At(fault.HopAgent).Write(w)
	})
	const rest = " policy=skip dns=skip tcp=skip tls=skip login=skip read=skip"
	if got := must[hops](t, 200, c.call(c.key, "POST", path, "")); got.line() != "client=pass relay=pass tunnel=pass agent=fail:CON-AGENT"+rest {
		t.Errorf("not held: %s", got.line())
	}
	supported(p, func(w http.ResponseWriter, _ *http.Request, _ wire.Diagnose) { p.json(w, []string{"no report"}) })
	if e := c.call(c.key, "POST", path, "").problem(t); e.Code != fault.Internal || e.Hop != fault.HopAgent {
		t.Errorf("nonsense: %v", e)
	}
	for _, s := range p.sessions {
		s.Close("the agent is switched off")
	}
	c.until("the agent is offline", func() bool {
		return strings.Contains(c.call(c.key, "GET", "/sites/"+p.site, "").body, `"state":"offline"`)
	})
	var got hops
	c.until("the end of the session is known", func() bool { // an agent is offline as soon as it says that it stops
		got = must[hops](t, 200, c.call(c.key, "POST", path, ""))
		return strings.Contains(got.Hops[2].Detail, "last session ended")
	})
	if got.line() != "client=pass relay=pass tunnel=fail:CON-OFFLINE agent=skip"+rest || *got.BrokenAt != "tunnel" {
		t.Errorf("offline: %s", got.line())
	}
	for _, want := range []string{"last seen 20", "host plc-gw", "switched off"} {
		if !strings.Contains(got.Hops[2].Detail, want) {
			t.Errorf("the relay does not tell %q: %s", want, got.Hops[2].Detail)
		}
	}
}

// TestSupportAtAnAgent runs what needs the plant's consent, with it and without.
func TestSupportAtAnAgent(t *testing.T) {
	c, p, _ := road(t, nil)
	agent := "/sites/" + p.site + "/agents/" + p.id
	supported(p, func(w http.ResponseWriter, r *http.Request, wish wire.Diagnose) {
		switch r.URL.Path {
		case wire.PathDiagnose:
			p.json(w, check.Report{Schema: 1, Program: "gantry-agent", Version: string(wish.Scope), Results: []check.Result{}})
		case wire.PathBundle:
			_, _ = io.WriteString(w, "an archive")
		case wire.PathLogs:
			_, _ = io.WriteString(w, "lines="+r.URL.Query().Get("lines")+" follow="+r.URL.Query().Get("follow"))
		}
	})
	if got := must[check.Report](t, 200, c.call(c.key, "POST", agent+"/diagnose", `{"deep":true}`)); got.Version != "agent" {
		t.Errorf("report %+v", got)
	}
	if got := c.call(c.key, "POST", agent+"/bundle", ""); got.status != 200 || got.body != "an archive" || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("bundle: %d %s", got.status, got.body)
	}
	if got := c.call(c.key, "GET", agent+"/logs?lines=3&follow=true", ""); got.status != 200 || got.body != "lines=3 follow=true" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") {
		t.Errorf("logs: %d %s", got.status, got.body)
	}
	for _, query := range []string{"?lines=-1", "?lines=x", "?follow=maybe", "?since=1h"} {
		if e := c.call(c.key, "GET", agent+"/logs"+query, "").problem(t); e.Code != fault.InvalidRequest {
			t.Errorf("%s: %v", query, e)
		}
	}
	supported(p, func(w http.ResponseWriter, _ *http.Request, _ wire.Diagnose) {
		fault.New(fault.PolicyDenied, "Nobody has let support in.").Reaches(fault.ScopeSite).Advise("gantry-agent support on").Write(w)
	})
	for method, path := range map[string]string{"POST": agent + "/bundle", "GET": agent + "/logs"} {
		if e := c.call(c.key, method, path, "").problem(t); e.Code != fault.PolicyDenied || e.Advice != "gantry-agent support on" || e.AgentID != p.id || e.Outcome != "" {
			t.Errorf("%s: %+v", path, e)
		}
	}
	for _, path := range []string{"/sites/" + p.site + "/agents/agt_0", "/sites/site_0/agents/" + p.id} {
		if e := c.call(c.key, "POST", path+"/diagnose", "").problem(t); e.Code != fault.NotFound {
			t.Errorf("%s: %v", path, e)
		}
	}
	var actions []string
	for _, e := range c.audit("?last=100").Data {
		if strings.HasPrefix(e.Action, "agents.") {
			actions = append(actions, e.Action+"="+e.Result)
		}
	}
	if all := strings.Join(actions, " "); !strings.Contains(all, "agents.diagnose=OK agents.bundle=OK agents.logs=OK") || !strings.Contains(all, "agents.bundle=POLICY_DENIED") {
		t.Errorf("audited as %s", all)
	}
}

// TestSupportIsPaced asks too often, and while a run is under way.
func TestSupportIsPaced(t *testing.T) {
	c, p, _ := road(t, nil)
	path := "/sites/" + p.site + "/agents/" + p.id + "/diagnose"
	begun, hold := make(chan struct{}, 10), make(chan struct{})
	supported(p, func(w http.ResponseWriter, _ *http.Request, _ wire.Diagnose) {
		begun <- struct{}{}
		<-hold
		p.json(w, check.Report{Schema: 1})
	})
	first := make(chan reply, 1)
	go func() { first <- c.call(c.key, "POST", path, "") }()
	<-begun
	if e := c.call(c.key, "POST", path, "").problem(t); e.Code != fault.Overloaded {
		t.Errorf("a second run meets the first: %v", e)
	}
	close(hold)
	if got := <-first; got.status != 200 {
		t.Errorf("the first: %d %s", got.status, got.body)
	}
	codes := map[int]int{}
	for range 7 { // five may come at once, one every five seconds
		codes[c.call(c.key, "POST", path, "").status]++
	}
	if codes[http.StatusTooManyRequests] == 0 {
		t.Errorf("support may ask as often as it likes: %v", codes)
	}
}
