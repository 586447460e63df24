package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/agent/state"
	"gantry/connectors/sql/sqltest"
)

// press is a small system with two entities, on either database.
const press = `apiVersion: connector/v1
metadata: {id: %s, version: 1.0.0, product: Press, categories: [erp], tier: 1, proved: real, extends: [base/sql-%s]}
guide: A user of the press's database.
%sentities:
  items:
    key: [{column: id, type: integer}]
    operations: {list: {sql: "SELECT id, name FROM item", keyset: [{column: id, type: integer}]}}
    fields: {description: {from: name}}
  vendors:
    key: [{column: id, type: integer}]
    operations: {list: {sql: "SELECT id, name FROM vendor", keyset: [{column: id, type: integer}]}}
    fields: {name: {from: name}}
`

var pressTables = []string{
	`CREATE TABLE item (id integer PRIMARY KEY, name varchar(60))`, `CREATE TABLE vendor (id integer PRIMARY KEY, name varchar(60))`,
	`INSERT INTO item VALUES (1, 'Die')`, `INSERT INTO vendor VALUES (1, 'Smith')`,
}

// diagnosed is what POST /connections/{id}/diagnose answers.
type diagnosed struct {
	Status   string
	BrokenAt string `json:"broken_at"`
	MS       int64
	Hops     []struct {
		Hop, Status, ID, Entity, Detail, Advice, For string
		OK                                           *bool
		MS                                           int64
	}
}

// broken is one way in which a connection that worked is broken.
type broken struct {
	name    string
	mariadb bool
	system  string // empty: press
	// at breaks it at the plant, while the agent runs.
	at func(t *testing.T, b *bench)
	// stored breaks what the agent keeps, while it does not run.
	stored func(settings map[string]any)

	hop, id, entity string
}

// bench is one broken connection on its own database.
type bench struct {
	*plant
	owner, user *sqltest.Database
	client      *Client
	id          string
}

func (b *bench) admin(t *testing.T, statement string) {
	t.Helper()
	if _, err := b.owner.Server.Admin().ExecContext(t.Context(), fmt.Sprintf(statement, b.user.Username)); err != nil {
		t.Fatal(err)
	}
}

func brokenConnections(closed string, way *way) []broken {
	return []broken{
		{name: "nothing is broken"},
		{name: "unknown name", stored: set("host", "erp.invalid"), hop: "dns", id: "CON-DNS"},
		{name: "port closed", stored: set("port", portNumber(closed)), hop: "tcp", id: "CON-REFUSED"},
		{name: "TLS refused", stored: set("tls", "require"), hop: "tls", id: "CON-TLS"},
		{name: "wrong password", hop: "login", id: "CON-PASSWORD",
			at: func(t *testing.T, b *bench) { b.admin(t, "ALTER ROLE %s PASSWORD 'another'") }},
		{name: "locked account", hop: "login", id: "CON-LOCKED",
			at: func(t *testing.T, b *bench) { b.admin(t, "ALTER ROLE %s NOLOGIN") }},
		{name: "locked, MariaDB", mariadb: true, hop: "login", id: "CON-LOCKED",
			at: func(t *testing.T, b *bench) { b.admin(t, "ALTER USER %s@'%%' ACCOUNT LOCK") }},
		{name: "a right is missing", hop: "read", id: "CON-RIGHT", entity: "vendors",
			at: func(t *testing.T, b *bench) { b.owner.Run(t, "REVOKE SELECT ON vendor FROM "+b.user.Username) }},
		{name: "slow", hop: "read", id: "CON-SLOW", entity: "items",
			at: func(t *testing.T, b *bench) {
				b.owner.Run(t, "ALTER TABLE item RENAME TO item0; CREATE VIEW item AS SELECT id, name FROM item0, pg_sleep(2.5); GRANT SELECT ON item TO "+b.user.Username)
			}},
		{name: "policy: a target", mariadb: true, hop: "policy", id: "CON-POLICY",
			at: func(t *testing.T, b *bench) { b.deny(t, "target", b.owner.Server.Address()) }},
		{name: "policy: a system", system: "press-banned", hop: "policy", id: "CON-POLICY",
			at: func(t *testing.T, b *bench) { b.deny(t, "system", "press-banned") }},
		{name: "driver missing", system: "press-lost", hop: "agent", id: "CON-DEFINITION"},
		{name: "breaker open", hop: "agent", id: "CON-CIRCUIT", stored: set("port", portNumber(way.address)), at: way.failsFor},
	}
}

func set(name string, value any) func(map[string]any) {
	return func(settings map[string]any) { settings[name] = value }
}

func portNumber(address string) int {
	_, port, _ := strings.Cut(address, ":")
	n, _ := strconv.Atoi(port)
	return n
}

// TestBrokenConnections breaks connections that worked, each in a way of its own, on real servers, and asks the relay
// which hop it is. Then the agent stops, and the relay tells what it knows.
func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	folder, closed := t.TempDir(), freeAddress(t)
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, folder+"/press.yaml", fmt.Sprintf(press, "press", "postgres", ""))
	writeFile(t, folder+"/press-banned.yaml", fmt.Sprintf(press, "press-banned", "postgres", ""))
	writeFile(t, folder+"/press-my.yaml", fmt.Sprintf(press, "press-my", "mysql", ""))
	writeFile(t, folder+"/press-lost.yaml", fmt.Sprintf(press, "press-lost", "postgres", ""))
	p := open(t, withAgent("definitions: "+folder+"\n"))
	p.allow("target", sqltest.Postgres(t).Address())
	p.allow("target", sqltest.MariaDB(t).Address())
	p.allow("target", "erp.invalid:*")
	p.allow("target", closed)

	way := newWay(t, sqltest.Postgres(t).Address())
	p.allow("target", way.address)
	cases := brokenConnections(closed, way)
	benches := make([]*bench, len(cases))
	for i, c := range cases {
		benches[i] = p.bench(t, c)
	}
	p.agent.stop()
	writeFile(t, folder+"/press-lost.yaml", fmt.Sprintf(press, "press-lost", "postgres", "driver: opcua\n"))
	for i, c := range cases {
		if c.stored != nil {
			p.breakStored(t, benches[i].id, c.stored)
		}
	}
	p.startAgent()
	p.awaitAgent("connected")
	table := []string{fmt.Sprintf("%-18s %-7s %-15s %-8s %6s  %s", "BROKEN", "HOP", "FINDING", "ENTITY", "MS", "ADVICE")}
	for i, c := range cases {
		if c.at != nil {
			c.at(t, benches[i])
		}
		table = append(table, p.diagnoses(t, c, benches[i].id))
	}
	table = append(table, p.diagnosesOffline(t, benches[0].id))
	t.Log("\n" + strings.Join(table, "\n"))
}

// bench makes a connection that works.
func (p *plant) bench(t *testing.T, c broken) *bench {
	t.Helper()
	server, system, grantee := sqltest.Postgres(t), "press", "%s"
	if c.mariadb {
		server, system, grantee = sqltest.MariaDB(t), "press-my", "%s@'%%'"
	}
	if c.system != "" {
		system = c.system
	}
	b := &bench{plant: p, owner: server.Database(t, pressTables...)}
	b.user = b.owner.Login(t, "GRANT SELECT ON item TO "+grantee, "GRANT SELECT ON vendor TO "+grantee)
	l := login{System: system, Name: c.name, Settings: b.user.Settings(), Credentials: map[string]string{"password": b.user.Password}}
	b.client, b.id = p.connect(l)
	return b
}

// breakStored changes a login that the resting agent keeps, as a plant changes under it.
func (p *plant) breakStored(t *testing.T, id string, change func(map[string]any)) {
	t.Helper()
	db, err := state.Open(t.Context(), p.path("agent"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	row, err := db.Connection(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var settings map[string]any
	if err := json.Unmarshal(row.Settings, &settings); err != nil {
		t.Fatal(err)
	}
	change(settings)
	row.Settings, err = json.Marshal(settings)
	if err := errors.Join(err, db.PutConnection(t.Context(), row)); err != nil {
		t.Fatal(err)
	}
}

// diagnoses asks for the diagnosis of one connection, checks that it names the hop, the finding and the entity and
// nothing else, and gives the line of the table.
func (p *plant) diagnoses(t *testing.T, c broken, id string) string {
	t.Helper()
	var d diagnosed
	answer := p.expect(p.admin, http.MethodPost, "/connections/"+id+"/diagnose", nil, 200, &d)
	if answer.Took > 15*time.Second {
		t.Errorf("%s: the diagnosis took %s", c.name, answer.Took)
	}
	line := fmt.Sprintf("%-18s %-7s", c.name, "-")
	found := 0
	for _, h := range d.Hops {
		if h.Status == "pass" || h.Status == "skip" {
			continue
		}
		found++
		if h.Hop != c.hop || h.ID != c.id || h.Entity != c.entity || h.Advice == "" || h.For == "" {
			t.Errorf("%s: found %s at %s, entity %q, advice %q; want %s at %s, entity %q\n%s", c.name, h.ID, h.Hop, h.Entity, h.Advice, c.id, c.hop, c.entity, answer.Body)
		}
		line = fmt.Sprintf("%-18s %-7s %-15s %-8s %6d  %.200s", c.name, h.Hop, h.ID, h.Entity, h.MS, h.Advice)
	}
	if want := min(len(c.id), 1); found != want {
		t.Errorf("%s: %d findings, want %d: %s", c.name, found, want, answer.Body)
	}
	if c.id != "CON-SLOW" && d.BrokenAt != c.hop {
		t.Errorf("%s: broken at %q, want %q", c.name, d.BrokenAt, c.hop)
	}
	p.hopsInOrder(t, c.name, d)
	return line
}

// hopsInOrder checks that every hop of the road is told, in its order.
func (p *plant) hopsInOrder(t *testing.T, name string, d diagnosed) {
	t.Helper()
	road := []string{"client", "relay", "tunnel", "agent", "policy", "dns", "tcp", "tls", "login"}
	for i, hop := range road {
		if i >= len(d.Hops) || d.Hops[i].Hop != hop {
			t.Errorf("%s: hop %d should be %s: %+v", name, i, hop, d.Hops)
			return
		}
	}
	for _, h := range d.Hops {
		if (h.OK == nil) != (h.Status == "skip") || h.Detail == "" {
			t.Errorf("%s: hop %+v", name, h)
		}
	}
}

// diagnosesOffline asks once more while the agent does not run.
func (p *plant) diagnosesOffline(t *testing.T, id string) string {
	t.Helper()
	p.agent.stop()
	p.awaitAgent("offline")
	return p.diagnoses(t, broken{name: "agent offline", hop: "tunnel", id: "CON-OFFLINE"}, id)
}
