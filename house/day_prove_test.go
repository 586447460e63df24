//go:build prove

package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/connectors/sql/sqltest"
)

// TestDay lives a day of connections through: what happens at the plant, and what the people of the cloud do. After each step
// the status, its sentence, the events and the webhooks are right, within 30 s where a little traffic runs, and within 90 s
// where nobody calls and only the agent's own probes find out.
func TestDay(t *testing.T) {
	for name, d := range map[string]*day{
		"with light traffic": {traffic: true, ceiling: 30 * time.Second},
		"without traffic":    {ceiling: 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			d.open(t)
			d.live(t)
			t.Log("\n" + strings.Join(d.table, "\n"))
		})
	}
}

// day is one plant with two connections: a press on PostgreSQL, and an ERP over HTTP that can ask for fewer calls.
type day struct {
	traffic bool
	ceiling time.Duration

	*plant
	owner, user *sqltest.Database
	way         *line // to the database
	erp         *busyERP
	hook        *receiver
	press, shop *lived
	table       []string
}

// lived is one connection of the day.
type lived struct {
	id    string
	token atomic.Pointer[string]
	reads []string
	event string // id of the last event that was seen
	told  int    // webhooks that were seen
}

// hour is what happens, and what must be true soon after.
type hour struct {
	name    string
	of      *lived
	happens func(t *testing.T)

	state, affects string // of the state one of several, with | between them
	reauth         bool
	says           []string // in the sentence
	events         []string // among the new ones
	webhooks       []string // among the new ones
}

const shop = `apiVersion: connector/v1
metadata: {id: shop, version: 1.0.0, product: Shop, categories: [erp], tier: 1, proved: shape, extends: [base/tryton]}
guide: A user of the shop.
entities:
  items:
    key: [{column: id, type: integer}]
    operations: {list: {model: part, columns: {id: id, name: name}}}
    fields: {description: {from: name}}
`

func (d *day) open(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, folder+"/press.yaml", fmt.Sprintf(press, "press", "postgres", ""))
	writeFile(t, folder+"/shop.yaml", shop)
	d.owner, d.erp, d.hook = sqltest.Postgres(t).Database(t, pressTables...), openBusyERP(t), startReceiver(t)
	d.user = d.owner.Login(t, "GRANT SELECT ON item TO %s", "GRANT SELECT ON vendor TO %s")
	d.plant = open(t, withAgent("definitions: "+folder+"\n"),
		withRelay("limits: {call_timeout: 8s}\n"+onLoopback))
	d.way = openLine(t, d.owner.Server.Address())
	d.allow("target", d.way.address())
	d.allow("target", strings.TrimPrefix(d.erp.URL, "http://"))
	d.subscribe(d.hook, "connection.*")
}

func (d *day) login() login {
	settings := d.user.Settings()
	settings["port"] = portOf(d.t, d.way.address())
	return login{System: "press", Name: "press 7", Settings: settings, Credentials: map[string]string{"password": d.user.Password}}
}

func (d *day) connected(l login, reads ...string) *lived {
	client, id := d.connect(l)
	one := &lived{id: id, reads: reads}
	one.token.Store(&client.Token)
	return one
}

func (l *lived) client(p *plant) *Client {
	return &Client{URL: p.url, Token: *l.token.Load(), HTTP: p.http}
}

// live goes through the steps, in their order, while the traffic runs.
func (d *day) live(t *testing.T) {
	d.press = d.connected(d.login(), "/items?limit=1", "/vendors?limit=1")
	d.shop = d.connected(login{System: "shop", Name: "shop", Settings: map[string]any{"address": d.erp.URL, "database": "erp", "username": "agent"},
		Credentials: map[string]string{"password": "any"}}, "/items?limit=1")
	d.readOnce(d.press)
	d.readOnce(d.shop)
	stop := d.startTraffic(t)
	defer stop()
	for _, s := range slices.Concat(d.plantSteps(), d.cloudSteps()) {
		if !t.Run(s.name, func(t *testing.T) { d.take(t, s) }) {
			break
		}
	}
}

// readOnce reads everything: what was never read, nobody can miss.
func (d *day) readOnce(one *lived) {
	for _, read := range one.reads {
		d.expect(one.client(d.plant), http.MethodGet, read, nil, 200, nil)
	}
}

// startTraffic has each connection read now and then, whatever comes of it.
func (d *day) startTraffic(t *testing.T) (stop func()) {
	if !d.traffic {
		return func() {}
	}
	var running sync.WaitGroup
	ended := make(chan struct{})
	for _, one := range []*lived{d.press, d.shop} {
		for _, read := range one.reads {
			running.Go(func() {
				for {
					_, _ = one.client(d.plant).Do(t.Context(), http.MethodGet, read, nil)
					select {
					case <-ended:
						return
					case <-time.After(time.Second):
					}
				}
			})
		}
	}
	return func() { close(ended); running.Wait() }
}

// plantSteps are what happens at the plant, each followed by its end.
func (d *day) plantSteps() []hour {
	database := func(statement string) func(*testing.T) {
		return func(t *testing.T) { d.owner.Run(t, fmt.Sprintf(statement, d.user.Username)) }
	}
	var release func() error
	active := hour{of: d.press, state: "active", affects: "nothing", says: []string{"Everything works."}, events: []string{"connection.state_changed"}, webhooks: []string{"connection.state_changed"}}
	again := func(name string, happens func(*testing.T)) hour {
		s := active
		s.name, s.happens = name, happens
		return s
	}
	healthy := again("healthy", func(*testing.T) {})
	healthy.events, healthy.webhooks = []string{"connection.created"}, nil
	return []hour{
		healthy,
		{name: "a right is revoked", of: d.press, happens: database("REVOKE SELECT ON vendor FROM %s"), state: "degraded", affects: "some_entities",
			says:   []string{"vendors fails since", "ermission", "Everything else works."},
			events: []string{"connection.state_changed"}, webhooks: []string{"connection.state_changed"}},
		again("the right is back", database("GRANT SELECT ON vendor TO %s")),
		{name: "the password is changed", of: d.press, happens: func(t *testing.T) {
			d.asAdmin(t, "ALTER ROLE "+d.user.Username+" PASSWORD 'second'")
			d.asAdmin(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", d.user.Username) // a session outlives its password
		}, state: "reauth_required", affects: "everything", reauth: true, says: []string{"refuses the login since", "Link the connection anew"},
			events: []string{"connection.state_changed", "connection.reauth_required"}, webhooks: []string{"connection.state_changed", "connection.reauth_required"}},
		d.relinked("relinked", "second", again),
		{name: "the database is stopped", of: d.press, happens: func(t *testing.T) { d.owner.Server.Stop(t) }, state: "system_offline", affects: "everything",
			says: []string{"cannot be reached since"}, events: []string{"connection.state_changed"}, webhooks: []string{"connection.state_changed"}},
		again("the database is back", func(t *testing.T) { d.owner.Server.Start(t) }),
		{name: "the database is slow", of: d.press, happens: func(*testing.T) { d.way.delay.Store(int64(15 * time.Second)) }, state: "degraded|system_offline", affects: "everything",
			says: []string{"since"}, events: []string{"connection.state_changed"}, webhooks: []string{"connection.state_changed"}},
		again("the database is quick again", func(*testing.T) { d.way.delay.Store(0) }),
		{name: "a table is locked", of: d.press, happens: func(t *testing.T) { release = d.lock(t) }, state: "degraded", affects: "some_entities",
			says: []string{"items fails since", "time"}, events: []string{"connection.state_changed"}, webhooks: []string{"connection.state_changed"}},
		again("the lock is gone", func(t *testing.T) {
			if err := release(); err != nil {
				t.Error(err)
			}
		}),
		{name: "the ERP answers 429", of: d.shop, happens: func(*testing.T) { d.erp.busy.Store(true) }, state: "throttled", affects: "everything",
			says: []string{"asks for fewer calls"}, events: []string{"connection.state_changed"}, webhooks: []string{"connection.state_changed"}},
		{name: "the ERP has time again", of: d.shop, happens: func(*testing.T) { d.erp.busy.Store(false) }, state: "active", affects: "nothing",
			says: []string{"Everything works."}, events: []string{"connection.state_changed"}, webhooks: []string{"connection.state_changed"}},
	}
}

// asAdmin runs a statement with all rights on the server.
func (d *day) asAdmin(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := d.owner.Server.Admin().ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// lock keeps every statement on the items waiting.
func (d *day) lock(t *testing.T) (release func() error) {
	t.Helper()
	tx, err := d.owner.DB.Begin()
	if err == nil {
		_, err = tx.ExecContext(t.Context(), "LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
	}
	if err != nil {
		t.Fatal(err)
	}
	return tx.Rollback
}

// relinked gives the connection another login.
func (d *day) relinked(name, password string, again func(string, func(*testing.T)) hour) hour {
	s := again(name, func(t *testing.T) {
		d.must(http.MethodPut, "/connections/"+d.press.id+"/credentials", map[string]any{"credentials": map[string]string{"password": password}}, 200, nil)
		d.readOnce(d.press)
	})
	s.events = []string{"connection.relinked", "connection.state_changed"}
	return s
}

// cloudSteps are what people do.
func (d *day) cloudSteps() []hour {
	path := "/connections/" + d.press.id
	post := func(what string) func(*testing.T) {
		return func(*testing.T) { d.must(http.MethodPost, path+what, nil, 200, nil) }
	}
	changed := []string{"connection.state_changed"}
	return []hour{
		{name: "paused", of: d.press, happens: post("/pause"), state: "paused", affects: "everything", says: []string{"paused on purpose since"},
			events: []string{"connection.paused", "connection.state_changed"}, webhooks: changed},
		{name: "resumed", of: d.press, happens: post("/resume"), state: "active", affects: "nothing", says: []string{"Everything works."},
			events: []string{"connection.resumed", "connection.state_changed"}, webhooks: changed},
		{name: "disconnected", of: d.press, happens: post("/disconnect"), state: "disconnected", affects: "everything", says: []string{"was disconnected", "for good"},
			events: []string{"connection.disconnected", "connection.state_changed"}, webhooks: changed},
		{name: "reconnected", of: d.press, happens: func(t *testing.T) {
			var made struct {
				Connection struct{ ID string }
				Token      string
			}
			d.must(http.MethodPost, path+"/reconnect", map[string]any{"credentials": map[string]string{"password": "second"}}, 201, &made)
			d.press.id, d.press.event, d.press.told = made.Connection.ID, "", 0
			d.press.token.Store(&made.Token)
		}, state: "active", affects: "nothing", events: []string{"connection.created"}},
	}
}

// dayStatus is the status as the API shows it.
type dayStatus struct {
	State   string
	Since   *time.Time
	Reauth  bool `json:"reauth_required"`
	Message string
	Affects string
	Agent   struct{ State string }
}

// take makes a step happen, waits until everything about it is right, and prints it.
func (d *day) take(t *testing.T, s hour) {
	begin := time.Now()
	s.happens(t)
	var whole json.RawMessage
	var events, webhooks []string
	took := eventually(t, d.ceiling, s.name+" is told right", func() error {
		var status dayStatus
		whole = d.status(t, s.of.id, &status)
		events, webhooks = d.events(t, s.of), d.hook.heard(s.of)[s.of.told:]
		return errors.Join(s.wrong(status), lacks("event", s.events, events), lacks("webhook", s.webhooks, webhooks))
	})
	d.table = append(d.table, fmt.Sprintf("%-26s %5.1f s", s.name, time.Since(begin).Seconds()))
	t.Logf("%s: right after %s\nstatus   %s\nevents   %s\nwebhooks %s", s.name, took.Round(100*time.Millisecond), whole,
		strings.Join(events, "\n         "), strings.Join(webhooks, "\n         "))
	s.of.event, s.of.told = d.lastEvent(t, s.of), len(d.hook.heard(s.of))
}

func (d *day) status(t *testing.T, id string, into *dayStatus) json.RawMessage {
	t.Helper()
	return d.expect(d.admin, http.MethodGet, "/connections/"+id+"/status", nil, 200, into).Body
}

// wrong tells what of the status is not as it should be.
func (s *hour) wrong(is dayStatus) error {
	if !slices.Contains(strings.Split(s.state, "|"), is.State) || is.Affects != s.affects || is.Reauth != s.reauth {
		return fmt.Errorf("it is %s, affects %s, reauth %t: %s", is.State, is.Affects, is.Reauth, is.Message)
	}
	for _, word := range s.says {
		if !strings.Contains(is.Message, word) {
			return fmt.Errorf("its sentence lacks %q: %s", word, is.Message)
		}
	}
	return nil
}

func lacks(what string, wanted, got []string) error {
	for _, w := range wanted {
		if !slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, w+" ") }) {
			return fmt.Errorf("no %s %s among %q", what, w, got)
		}
	}
	return nil
}

type dayEvent struct{ ID, Kind, Level, Message string }

// events lists what is new.
func (d *day) events(t *testing.T, one *lived) (all []string) {
	t.Helper()
	for _, e := range d.newEvents(t, one) {
		all = append(all, fmt.Sprintf("%s %s: %s", e.Kind, e.Level, e.Message))
	}
	return all
}

func (d *day) lastEvent(t *testing.T, one *lived) string {
	t.Helper()
	if all := d.newEvents(t, one); len(all) > 0 {
		return all[len(all)-1].ID
	}
	return one.event
}

func (d *day) newEvents(t *testing.T, one *lived) []dayEvent {
	t.Helper()
	var page struct{ Data []dayEvent }
	path := "/connections/" + one.id + "/events?limit=500"
	if one.event != "" {
		path += "&after=" + one.event
	}
	d.must(http.MethodGet, path, nil, 200, &page)
	return page.Data
}
