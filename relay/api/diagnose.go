package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/hub"
	"gantry/relay/store"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// diagnosisDocument is the way of a connection's calls, hop by hop.
type diagnosisDocument struct {
	Schema     int           `json:"schema"`
	Connection string        `json:"connection_id"`
	Agent      string        `json:"agent_id"`
	Status     check.Status  `json:"status"`    // the worst: fail, warn or pass
	BrokenAt   *string       `json:"broken_at"` // the first hop that failed
	MS         int64         `json:"ms"`
	Hops       []hopDocument `json:"hops"`
}

// hopDocument is one hop. Ok is null where it could not be looked at.
type hopDocument struct {
	Hop    string       `json:"hop" openapi:"client|relay|tunnel|agent|policy|dns|tcp|tls|login|read"` // client, relay, tunnel, agent, policy, dns, tcp, tls, login or read
	OK     *bool        `json:"ok"`
	Status check.Status `json:"status"`
	MS     int64        `json:"ms"`
	Detail string       `json:"detail"`
	Advice string       `json:"advice,omitempty"`
	For    check.Team   `json:"for,omitempty"`    // whom the advice is for
	ID     string       `json:"id,omitempty"`     // of the finding: docs/checks.md
	Entity string       `json:"entity,omitempty"` // of a read
}

// Hops beyond the tunnel, in their order.
var beyond = []string{"agent", "policy", "dns", "tcp", "tls", "login", "read"}

// diagnosis is a diagnosis on its way.
type diagnosis struct {
	api       *API
	principal *auth.Principal
	row       store.Connection
	hops      []hopDocument
	told      *teller[hopDocument, diagnosisDocument]
	again     bool // the hops are those that were told
}

// diagnoseConnection looks along the way of a connection's calls. Also when the agent is offline: then the relay tells
// what it knows. The plant's consent is not needed: only calls are made that the connection may make anyway.
func (a *API) diagnoseConnection(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	start := time.Now()
	row, err := a.store.Connection(ctx, p.OrganisationID, r.PathValue("id"))
	switch {
	case err != nil:
		return err
	case row.State == store.Disconnected:
		return a.stateOf(ctx, p, row.ID, store.ErrState)
	case row.State == store.Pending:
		return store.ErrNotFound
	}
	about(w, ofConnection(row))
	leave, err := a.runs.enter("diagnose", row.ID)
	if err != nil {
		return err
	}
	defer leave()
	d := &diagnosis{api: a, principal: p, row: row, told: newTeller[hopDocument, diagnosisDocument](ctx, a, w, r)}
	d.pass("client", 0, fmt.Sprintf("the request is sound, and the role %s may diagnose", p.Role))
	if row.State == store.Paused {
		d.fail("relay", "CON-PAUSED", "since "+row.PausedAt.Format(time.RFC3339))
		d.skip("the connection is paused", append([]string{"tunnel"}, beyond...)...)
		return d.told.end(http.StatusOK, d.document(time.Since(start)), nil)
	}
	d.pass("relay", time.Since(start), "the connection is active")
	err = d.follow(ctx)
	return d.told.end(http.StatusOK, d.document(time.Since(start)), err)
}

// follow goes beyond the relay. An error is a diagnosis that was not made.
func (d *diagnosis) follow(ctx context.Context) error {
	now := d.api.hub.Presence(d.row.AgentID)
	if !now.Connected {
		d.offline(ctx, "no session of the agent is up")
		return nil
	}
	begin, here := time.Now(), len(d.hops)
	report, err := d.api.report(ctx, d.row, d.principal, wire.Diagnose{Scope: wire.ScopeConnection, Connection: d.row.ID}, connectionTime, func(r check.Result) {
		if len(d.hops) == here {
			d.reached(now)
		}
		d.read(r, time.Since(begin))
	})
	d.hops = d.hops[:here]
	if err != nil {
		return d.silent(ctx, err)
	}
	d.again = true // in their order
	d.reached(now)
	for _, r := range report.Results {
		d.read(r, time.Since(begin))
	}
	return nil
}

func (d *diagnosis) reached(now hub.Presence) {
	d.pass("tunnel", now.RoundTrip, fmt.Sprintf("%d sessions, connected since %s", now.Sessions, now.Since.UTC().Format(time.RFC3339)))
}

// silent is an agent that gave no report: where it is the way to it that broke, that is what was found.
func (d *diagnosis) silent(ctx context.Context, err error) error {
	f := fault.From(err, fault.HopTunnel)
	switch {
	case f.Hop == fault.HopTunnel:
		d.offline(ctx, f.Detail)
	case f.Code == fault.NotFound:
		d.pass("tunnel", 0, "the agent answers")
		d.fail("agent", "CON-AGENT", f.Detail)
		d.skip("the agent does not hold the connection", beyond[1:]...)
	default:
		return err
	}
	return nil
}

// offline tells what the relay knows of an agent that does not answer.
func (d *diagnosis) offline(ctx context.Context, why string) {
	known := []string{strings.TrimSuffix(why, ".")}
	if row, err := d.api.store.Agent(ctx, d.row.AgentID); err == nil {
		known = append(known, d.known(row)...)
	}
	d.fail("tunnel", "CON-OFFLINE", strings.Join(known, "; "))
	d.skip("the agent is offline", beyond...)
}

func (d *diagnosis) known(row store.Agent) []string {
	var known []string
	shown, trouble := d.api.showAgent(row), d.api.hub.Trouble(row.ID)
	if shown.LastSeenAt != nil {
		known = append(known, "last seen "+shown.LastSeenAt.Format(time.RFC3339))
	}
	if shown.Hostname != "" {
		known = append(known, fmt.Sprintf("host %s, version %s", shown.Hostname, shown.Version))
	}
	if trouble.EndReason != "" {
		known = append(known, "its last session ended "+trouble.EndedAt.Format(time.RFC3339)+": "+trouble.EndReason)
	}
	if trouble.Refusal != "" {
		known = append(known, "last refused "+trouble.RefusedAt.Format(time.RFC3339)+": "+trouble.Refusal)
	}
	switch {
	case !row.RevokedAt.IsZero():
		known = append(known, "the agent was revoked "+row.RevokedAt.Format(time.RFC3339))
	case row.CertificateExpiresAt.Before(time.Now()):
		known = append(known, "its certificate expired "+row.CertificateExpiresAt.Format(time.RFC3339)+", and is renewed when it comes back")
	}
	return known
}

// read makes a hop of a result of the agent's report.
func (d *diagnosis) read(r check.Result, took time.Duration) {
	hop := stepOf(r.Check, d.row.ID)
	if hop == "calls" || hop == "circuit" { // no step of the way, but worth a word of the agent's
		d.join(r)
		return
	}
	h := hopOf(hop, r)
	if hop == "agent" && h.MS == 0 {
		h.MS = took.Milliseconds()
	}
	d.add(h)
}

// hopOf makes a hop of a check's result.
func hopOf(hop string, r check.Result) hopDocument {
	h := hopDocument{Hop: hop, Status: r.Status, MS: r.MS, Detail: strings.Join(r.Evidence, "; "), ID: r.ID, Entity: r.Entity, Advice: r.Fix, For: r.For}
	switch {
	case r.Status == check.Skipped:
		h.Detail = r.Cause
	case r.Finding != "":
		h.Detail = strings.TrimSuffix(r.Finding+": "+h.Detail, ": ")
	}
	return h
}

// join adds to the agent's hop what a further check found. One that comes before it waits for the report.
func (d *diagnosis) join(r check.Result) {
	at := slices.IndexFunc(d.hops, func(h hopDocument) bool { return h.Hop == "agent" })
	if at < 0 || r.Status == check.Skipped {
		return
	}
	d.hops[at].join(r)
	d.tell(d.hops[at])
}

// join adds what a further check of the same hop found.
func (h *hopDocument) join(r check.Result) {
	h.Detail += "; " + strings.Join(r.Evidence, "; ")
	if r.Status == check.Failed {
		no := false
		h.OK, h.Status, h.ID, h.Advice, h.For = &no, r.Status, r.ID, r.Fix, r.For
		h.Detail = r.Finding + ": " + h.Detail
	}
}

// stepOf gives the hop of a check of the connection's: connections.con_1.read.vendors is a read.
func stepOf(name, connection string) string {
	step, _, _ := strings.Cut(strings.TrimPrefix(name, "connections."+connection+"."), ".")
	if step == "definition" {
		return "agent"
	}
	return step
}

func (d *diagnosis) add(h hopDocument) {
	h.judge()
	d.hops = append(d.hops, h)
	d.tell(h)
}

// tell tells a hop as it is now.
func (d *diagnosis) tell(h hopDocument) {
	if !d.again {
		d.told.step(h)
	}
}

// judge says in one value whether the hop is in order.
func (h *hopDocument) judge() {
	if h.Status != check.Skipped {
		ok := h.Status != check.Failed
		h.OK = &ok
	}
}

func (d *diagnosis) pass(hop string, took time.Duration, detail string) {
	d.add(hopDocument{Hop: hop, Status: check.Passed, MS: took.Milliseconds(), Detail: detail})
}

func (d *diagnosis) fail(hop, id, detail string) {
	f, _ := check.Lookup(id)
	d.add(hopDocument{Hop: hop, Status: check.Failed, ID: id, Detail: f.Title + ": " + detail, Advice: f.Fix, For: f.For})
}

func (d *diagnosis) skip(why string, hops ...string) {
	for _, hop := range hops {
		d.add(hopDocument{Hop: hop, Status: check.Skipped, Detail: why})
	}
}

func (d *diagnosis) document(took time.Duration) diagnosisDocument {
	doc := diagnosisDocument{
		Schema: check.Schema, Connection: d.row.ID, Agent: d.row.AgentID, Status: check.Passed, MS: took.Milliseconds(), Hops: d.hops,
	}
	for _, h := range d.hops {
		switch {
		case h.Status == check.Failed && doc.BrokenAt == nil:
			doc.Status, doc.BrokenAt = check.Failed, &h.Hop
		case h.Status == check.Warned && doc.Status == check.Passed:
			doc.Status = check.Warned
		}
	}
	return doc
}
