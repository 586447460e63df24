package house

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"gantry/relay/store"
	"gantry/relay/store/sqlite"
)

// What the benchmark's relay has.
const (
	manyConnections = 5_000
	manyEvents      = 100_000
)

// BenchmarkDashboard measures the pages of an organisation with 5,000 connections, one of which has met 100,000 events, beside
// the same page of an organisation that has nothing. The figures are medians, and ratios to that page.
func BenchmarkDashboard(b *testing.B) {
	p := openRelay(b, withRelay("limits: {rate_per_token: 1000000, burst_per_token: 1000000}\n"))
	var nobody struct{ ID string }
	p.relayCommand(&nobody, "orgs", "create", "Nothing Ltd", "--credits", "1")
	var key struct{ Key, Token string }
	p.relayCommand(&key, "keys", "create", "--org", nobody.ID, "--role", "admin", "--name", "nothing")
	p.relay.stop()
	busy := seedConnections(b, p)
	p.startRelay()

	empty := newBrowser(b, p)
	empty.post("/sign-in", url.Values{"key": {key.Key + key.Token}}, http.StatusOK)
	full := newBrowser(b, p)
	full.post("/sign-in", url.Values{"key": {p.admin.Token}}, http.StatusOK)
	here := "/connections/" + busy
	var base time.Duration
	for _, page := range []struct {
		name, path string
		as         *browser
	}{
		{"nothing", "/", empty},
		{"connections", "/", full},
		{"connections by name", "/?order=name", full},
		{"connections searched", "/?q=plant+4711", full},
		{"connections of a state", "/?state=paused", full},
		{"sites", "/sites", full},
		{"credits", "/credits", full},
		{"a connection with events", here, full},
		{"its events", here + "/events", full},
		{"its errors", here + "/events?level=error&kind=call", full},
		{"one request of them", here + "/events?request_id=req_99000", full},
		{"of a request that is not there", here + "/events?request_id=req_x", full},
		{"its syncs", here + "/syncs", full},
	} {
		b.Run(page.name, func(b *testing.B) {
			var took []time.Duration
			var size int
			for b.Loop() {
				began := time.Now()
				size = len(page.as.get(page.path, http.StatusOK))
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			median := took[len(took)/2]
			if base == 0 {
				base = median
			}
			b.ReportMetric(float64(median.Microseconds())/1000, "median-ms")
			b.ReportMetric(float64(median)/float64(base), "x-nothing")
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

// seedConnections fills the store of a relay that does not run, and gives the connection with many events.
func seedConnections(b *testing.B, p *plant) (busy string) {
	b.Helper()
	ctx := b.Context()
	s, err := sqlite.Open(ctx, p.path("relay"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	seed := seeding{b, s, ""}
	for _, o := range must(b)(s.Organisations(ctx, store.Page{})) {
		if o.Name == "Example Ltd" {
			seed.organisation = o.ID
		}
	}
	var all []string
	const sites = 50
	for n := range sites {
		all = append(all, seed.site(ctx, n, manyConnections/sites)...)
	}
	for at := 0; at < manyEvents; at += 1000 {
		seed.events(ctx, all[0], at, 1000)
	}
	return all[0]
}

func must(b *testing.B) func([]store.Organisation, error) []store.Organisation {
	return func(all []store.Organisation, err error) []store.Organisation {
		if err != nil {
			b.Fatal(err)
		}
		return all
	}
}

// seeding writes past the relay.
type seeding struct {
	b            *testing.B
	store        *sqlite.Store
	organisation string
}

func (s seeding) fail(err error) {
	if err != nil {
		s.b.Error(err)
	}
}

// site makes a site with an agent and so many connections, many at a time: the store commits them together.
func (s seeding) site(ctx context.Context, n, connections int) []string {
	site, err := s.store.CreateSite(ctx, s.organisation, fmt.Sprintf("Plant %02d", n))
	s.fail(err)
	token := sha256.Sum256([]byte(site.ID))
	_, err = s.store.CreateEnrolment(ctx, s.organisation, site.ID, token, time.Now().Add(time.Hour))
	s.fail(err)
	agent, err := s.store.Enrol(ctx, token, store.NewAgent{
		ID: store.NewID(store.AgentID, time.Now()), MachineID: site.ID, Key: token, CertificateExpiresAt: time.Now().Add(24 * time.Hour),
		Facts: json.RawMessage(fmt.Sprintf(`{"hostname":"host-%02d"}`, n)),
	})
	s.fail(err)
	ids := make([]string, connections)
	var work sync.WaitGroup
	for at := range connections {
		work.Go(func() { ids[at] = s.connection(ctx, site.ID, agent.ID, n*connections+at) })
	}
	work.Wait()
	return ids
}

// connection makes one; every tenth is paused.
func (s seeding) connection(ctx context.Context, site, agent string, n int) string {
	c, err := s.store.ReserveConnection(ctx, store.NewConnection{
		OrganisationID: s.organisation, SiteID: site, AgentID: agent, System: []string{"demo-plant", "adventureworks", "tryton"}[n%3], SystemName: []string{"Gantry Demo Plant", "AdventureWorks", "Tryton 6.0"}[n%3],
		Name: fmt.Sprintf("Plant %04d", n), Metadata: json.RawMessage(`{"tenant":"a customer of the application","region":"north"}`),
	})
	s.fail(err)
	note := store.Note{}
	_, err = s.store.ActivateConnection(ctx, c.ID, sha256.Sum256([]byte(c.ID)), json.RawMessage(`{"host":"db.plant.local","database":"erp","username":"gantry"}`), note)
	s.fail(err)
	if n%10 == 9 {
		_, err = s.store.PauseConnection(ctx, s.organisation, c.ID, note)
		s.fail(err)
	}
	return c.ID
}

// events writes so many failed calls into a connection's log.
func (s seeding) events(ctx context.Context, connection string, from, count int) {
	all := make([]store.NewEvent, count)
	for n := range all {
		all[n] = store.NewEvent{
			OrganisationID: s.organisation, ConnectionID: connection, Level: store.Levels()[(from+n)%3], Kind: store.CallFailed, Entity: "items",
			Operation: "list", Code: "SYSTEM_TIMEOUT", RequestID: fmt.Sprint("req_", from+n), Message: "The system did not answer in time.",
		}
	}
	s.fail(s.store.AppendEvents(ctx, all...))
}
