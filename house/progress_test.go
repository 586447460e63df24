package house

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gantry/tunnel/fault"
)

// told is a line of an answer that comes step by step.
type told struct {
	Step *struct{ Hop, Status, Check, ID, Advice, For string }
	End  json.RawMessage
	// Error is a problem document.
	Error json.RawMessage
}

// follow calls the API as somebody who watches, and shows each line when it comes, until it is told to stop.
func (p *plant) follow(method, path string, body any, each func(told) bool) {
	p.t.Helper()
	answer, err := p.admin.open(p.t.Context(), method, path, body, Header{"Accept", "application/x-ndjson"})
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || kind != "application/x-ndjson" {
		p.t.Fatalf("%s: %s, %s", path, answer.Status, kind)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line told
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			p.t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		if !each(line) {
			return
		}
	}
}

// watched gives the hops in the order in which they came, and the last line.
func (p *plant) watched(method, path string, body any) (hops []string, last told) {
	p.t.Helper()
	p.follow(method, path, body, func(line told) bool {
		if last = line; line.Step != nil {
			hops = append(hops, line.Step.Hop+" "+line.Step.Status)
		}
		return true
	})
	return hops, last
}

// TestStepsAsTheyCome watches a login, a relink, a diagnosis of the connection and one of its agent.
func TestStepsAsTheyCome(t *testing.T) {
	d := openDemoPlant(t)
	d.allow("path", d.login.Settings["path"].(string))
	run(t, "gantry-agent", "support", "on", "--config", d.path("agent.yaml"))
	wish := map[string]any{"site": d.site, "system": "demo-plant", "name": "watched", "settings": d.login.Settings, "credentials": map[string]any{}}
	hops, last := d.watched(http.MethodPost, "/connections", wish)
	road := "client pass, relay pass, tunnel pass, agent pass, policy pass, dns pass, tcp pass, tls pass, login pass"
	if got := strings.Join(hops, ", "); got != road {
		t.Errorf("a login comes as %s, want %s", got, road)
	}
	var made struct {
		Connection struct{ ID string }
		Token      string
	}
	if err := json.Unmarshal(last.End, &made); err != nil || !strings.HasPrefix(made.Token, "gct_") {
		t.Fatalf("the login ends with %s: %v", last.End, err)
	}
	here := "/connections/" + made.Connection.ID
	hops, last = d.watched(http.MethodPut, here+"/credentials", map[string]any{"credentials": map[string]any{}})
	if got := strings.Join(hops, ", "); got != road || last.End == nil {
		t.Errorf("a relink comes as %s, and ends with %s %s", got, last.End, last.Error)
	}
	hops, last = d.watched(http.MethodPost, here+"/diagnose", nil)
	if !slices.Contains(hops, "login pass") || !slices.Contains(hops, "read pass") || hops[0] != "client pass" {
		t.Errorf("a diagnosis comes as %q", hops)
	}
	var whole diagnosed
	if err := json.Unmarshal(last.End, &whole); err != nil || whole.Status != "pass" {
		t.Errorf("the diagnosis ends with %s", last.End)
	}
	d.hopsInOrder(t, "watched", whole)
	var agents struct{ Agents []struct{ ID string } }
	d.must(http.MethodGet, "/sites/"+d.site, nil, 200, &agents)
	checks := 0
	d.follow(http.MethodPost, "/sites/"+d.site+"/agents/"+agents.Agents[0].ID+"/diagnose", map[string]any{}, func(line told) bool {
		if last = line; line.Step != nil && line.Step.Check != "" {
			checks++
		}
		return true
	})
	if checks < 20 || last.End == nil {
		t.Errorf("the doctor tells %d checks, and ends with %s %s", checks, last.End, last.Error)
	}
	if got := d.audited("connections.create"); got != "OK" {
		t.Errorf("the audit says %q of a watched login", got)
	}
}

// TestStepsBeforeTheEnd watches a login to a machine that takes the connection and says nothing: what went well is told
// while the rest still waits, and the end tells what to do.
func TestStepsBeforeTheEnd(t *testing.T) {
	d := openDemoPlant(t)
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close() //nolint:errcheck // the test is over
	d.allow("target", mute.Addr().String())
	host, port, err := net.SplitHostPort(mute.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	wish := map[string]any{
		"site": d.site, "system": "adventureworks", "name": "mute",
		"settings":    map[string]any{"host": host, "port": json.Number(port), "database": "aw", "username": "gantry", "tls": "disable"},
		"credentials": map[string]any{"password": "secret"},
	}
	var last told
	var failed []string
	d.follow(http.MethodPost, "/connections", wish, func(line told) bool {
		if last = line; line.Step == nil {
			return true
		}
		if line.Step.Status == "fail" {
			failed = append(failed, line.Step.Hop+" "+line.Step.ID+" "+line.Step.For)
		}
		if line.Step.Hop == "tcp" && line.Step.Status == "pass" { // only now does the other end hang up
			conn, err := mute.Accept()
			if err != nil {
				t.Error(err)
				return false
			}
			_, _ = conn, mute.Close()
			_ = conn.Close()
		}
		return true
	})
	problem, err := fault.Decode(strings.NewReader(string(last.Error)))
	if err != nil || problem.Code != fault.SystemUnreachable || problem.Advice == "" {
		t.Fatalf("it ends with %s %s: %v", last.End, last.Error, err)
	}
	if len(failed) != 1 || !strings.HasPrefix(failed[0], "login CON-") {
		t.Errorf("failed %q", failed)
	}
	if got := d.audited("connections.create"); got != "SYSTEM_UNREACHABLE" {
		t.Errorf("the audit says %q", got)
	}
}

// audited gives the result of the last entry of an action.
func (p *plant) audited(action string) string {
	p.t.Helper()
	var page struct {
		Data []struct{ Action, Result string }
	}
	p.must(http.MethodGet, "/audit?last=20", nil, 200, &page)
	for _, e := range slices.Backward(page.Data) {
		if e.Action == action {
			return e.Result
		}
	}
	return ""
}
