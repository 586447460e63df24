//go:build browser

package house

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/connectors/demoplant"
	"gantry/connectors/sql/sqltest"
)

// showcase is a house with something of everything to look at: sites, and connections in every state.
type showcase struct {
	*plant
	folders string // of the plants' files
	agents  int
	main    string  // the site with most of the connections
	holder  *daemon // its agent
	north   *Client
	id      string // of the connection that works best
	broken  string // of one whose system is away
	half    string // of one of whose entities one is broken
	refused string // of one whose login is refused
	ended   string // of one that was disconnected
	webhook string
}

// openShowcase makes it, and waits until the relay sees every state.
func openShowcase(t *testing.T) *showcase {
	t.Helper()
	s := &showcase{plant: openRelay(t, withRelay("webhooks: {allow_private: [127.0.0.0/8], allow_http: true}\n")), folders: t.TempDir()}
	s.tells()
	var end func()
	s.main, _ = s.addSite("Hällmark Board Mill")
	s.holder = s.agent
	s.works()
	s.refusesLogin()
	s.goesAway()
	s.misses()
	s.rests()
	s.site, end = s.addSite("Nordsjö Pulp Works")
	s.link("Recovery boiler maintenance")
	end()
	s.must(http.MethodPost, "/sites", map[string]string{"name": "Lindvik Distribution Centre"}, 201, nil)
	s.must(http.MethodPost, "/keys", map[string]string{"name": "Second line support", "role": "support"}, 201, nil)
	s.awaitStates("active", "reauth_required", "system_offline", "degraded", "paused", "agent_offline", "disconnected")
	return s
}

// addSite makes a site with an agent of its own, which may do everything; end stops the agent.
func (s *showcase) addSite(name string) (id string, end func()) {
	s.t.Helper()
	var site struct {
		ID    string `json:"id"`
		Token string `json:"enrolment_token"`
	}
	s.must(http.MethodPost, "/sites", map[string]string{"name": name}, 201, &site)
	s.agents++
	config := fmt.Sprintf("agent%d.yaml", s.agents)
	s.write(config, fmt.Sprintf("state_dir: %s\nlog: {level: debug}\n", s.path(fmt.Sprintf("agent%d", s.agents))))
	s.write("token", site.Token)
	run(s.t, "gantry-agent", "enroll", "--token-file", s.path("token"), "--config", s.path(config))
	for _, what := range [][]string{{"path", s.folders}, {"writes"}, {"target", "127.0.0.1:1-65535"}} {
		run(s.t, "gantry-agent", append(append([]string{"policy", "allow"}, what...), "--config", s.path(config))...)
	}
	s.site = site.ID
	s.agent = start(s.t, s.path("agent.log"), program(s.t, "gantry-agent"), []string{"run", "--config", s.path(config)})
	s.awaitAgent("connected")
	agent := s.agent
	return site.ID, func() { agent.stop() }
}

// link connects a demo plant of its own, and gives its file.
func (s *showcase) link(name string) (client *Client, id, file string) {
	s.t.Helper()
	file = filepath.Join(s.folders, strings.ReplaceAll(strings.ToLower(name), " ", "-")+".db")
	if err := demoplant.Create(s.t.Context(), file); err != nil {
		s.t.Fatal(err)
	}
	client, id = s.connect(login{System: "demo-plant", Name: name, Settings: map[string]any{"path": file}, Credentials: map[string]string{}})
	return client, id, file
}

// calls reads a page of each.
func (s *showcase) calls(c *Client, entities ...string) {
	s.t.Helper()
	for _, entity := range entities {
		if _, err := c.Do(s.t.Context(), http.MethodGet, "/"+entity+"?limit=2", nil); err != nil {
			s.t.Fatal(err)
		}
	}
}

// works is the connection that everything goes well with: read, written, synced.
func (s *showcase) works() {
	s.t.Helper()
	client, id, _ := s.link("Maintenance and purchasing")
	s.north, s.id = client, id
	s.calls(client, "vendors", "items", "assets", "work-orders", "purchase-orders", "inventory")
	s.expect(client, http.MethodGet, "/vendors/7", nil, 200, nil)
	order := map[string]any{"title": "Bearings for the drying section", "vendor_id": "7", "site_id": "1", "buyer": "Karin Sandell", "ordered_at": "2026-07-01T07:30:00Z",
		"lines": []map[string]string{{"item_id": "1", "quantity": "4", "price": "1250.00"}}}
	s.expect(client, http.MethodPost, "/purchase-orders", order, 201, nil, Header{"Idempotency-Key", "showcase-1"})
	s.expect(client, http.MethodPut, "/syncs/work-orders", map[string]any{"every": "15m"}, 200, nil)
	s.expect(client, http.MethodPut, "/syncs/vendors", map[string]any{"every": "24h"}, 200, nil)
	eventually(s.t, time.Minute, "the syncs ran", func() error {
		for name, sync := range s.syncs(client) {
			if sync.State != "idle" {
				return fmt.Errorf("%s is %s", name, sync.State)
			}
		}
		return nil
	})
}

// refusesLogin is the connection whose password was changed at the system.
func (s *showcase) refusesLogin() {
	s.t.Helper()
	base := sqltest.Postgres(s.t).Database(s.t)
	user := base.Login(s.t)
	client, id := s.connect(login{System: "adventureworks", Name: "Group ERP", Settings: user.Settings(), Credentials: map[string]string{"password": user.Password}})
	for _, statement := range []string{"ALTER ROLE %s PASSWORD 'changed'", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '%s'"} {
		if _, err := base.Server.Admin().ExecContext(s.t.Context(), fmt.Sprintf(statement, user.Username)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.refused = id
	s.calls(client, "vendors", "vendors")
}

// goesAway is the connection whose system cannot be reached.
func (s *showcase) goesAway() {
	s.t.Helper()
	client, id, file := s.link("Energy metering")
	s.calls(client, "assets")
	if err := os.Rename(file, file+".away"); err != nil {
		s.t.Fatal(err)
	}
	s.broken = id
	for range 6 {
		s.calls(client, "assets")
	}
}

// misses is the connection of whose entities one is broken.
func (s *showcase) misses() {
	s.t.Helper()
	client, id, file := s.link("Spare parts store")
	s.half = id
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := db.ExecContext(s.t.Context(), "DROP TABLE STOCK"); err != nil {
		s.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		s.t.Fatal(err)
	}
	for range 4 {
		s.calls(client, "items", "inventory", "vendors")
	}
}

// rests are a connection that is paused, and one that was disconnected.
func (s *showcase) rests() {
	s.t.Helper()
	_, id, _ := s.link("Quality laboratory")
	s.must(http.MethodPost, "/connections/"+id+"/pause", nil, 200, nil)
	_, id, _ = s.link("Board machine 2 archive")
	s.must(http.MethodPost, "/connections/"+id+"/disconnect", nil, 200, nil)
	s.ended = id
}

// tells makes webhooks: one that takes everything, one that is refused.
func (s *showcase) tells() {
	s.t.Helper()
	takes := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.t.Cleanup(takes.Close)
	var made struct{ ID string }
	for address, what := range map[string]string{takes.URL + "/gantry": "The operations team's inbox", "http://127.0.0.1:9/hook": "The old ticket system"} {
		s.must(http.MethodPost, "/webhooks", map[string]any{"url": address, "description": what, "events": []string{"connection.*", "sync.*"}}, 201, &made)
		if address != "http://127.0.0.1:9/hook" {
			s.webhook = made.ID
		}
	}
}

// awaitStates waits until there is a connection in each of the states.
func (s *showcase) awaitStates(states ...string) {
	s.t.Helper()
	eventually(s.t, 2*time.Minute, "every state is there", func() error {
		var page struct {
			Data []struct{ Name, State string }
		}
		s.must(http.MethodGet, "/connections", nil, 200, &page)
		there := map[string]bool{}
		for _, c := range page.Data {
			there[c.State] = true
		}
		for _, state := range states {
			if !there[state] {
				return fmt.Errorf("none is %s: %v", state, page.Data)
			}
		}
		return nil
	})
}
