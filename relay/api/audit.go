package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// succeeded is the result of what did not fail.
const succeeded = "OK"

// auditTime is how long an answer waits for its entry.
const auditTime = 5 * time.Second

// audited is own for what changes something or runs at a site: its entry stands in the audit before the first byte of the
// answer goes out. What a role may not do, or does too often, is refused before, and stands in the log alone, so that no
// key can fill the disk with refusals.
func (a *API) audited(operation string, permission auth.Permission, serve ownAnswer) http.Handler {
	return a.own(operation, permission, func(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
		v := w.(*visit)
		v.subject = asked(r)
		v.note = func(result string) { a.record(ctx, v, p, result) }
		v.before = func() { v.note(succeeded) }
		result := fault.Internal // of a panic
		defer func() {
			if result != "" {
				v.note(string(result))
			}
		}()
		err := serve(ctx, w, r, p)
		result = ""
		if _, noted := errors.AsType[told](err); err != nil && !noted { // a teller has noted what it told
			result = classify(err).Code
		}
		return err
	})
}

// asked is the subject as the path names it. Handlers that know more say so (about).
func asked(r *http.Request) store.Subject {
	id, agent := clip(r.PathValue("id")), clip(r.PathValue("agent"))
	s := store.Subject{Target: id, AgentID: agent}
	if agent != "" {
		s.Target = agent
	}
	switch {
	case strings.Contains(r.Pattern, "/sites/{id}"):
		s.SiteID = id
	case strings.Contains(r.Pattern, "/connections/{id}"):
		s.ConnectionID = id
	}
	return s
}

// about tells the audit what a request is about.
func about(w http.ResponseWriter, s store.Subject) { w.(*visit).subject = s }

func ofConnection(c store.Connection) store.Subject {
	return store.Subject{Target: c.ID, SiteID: c.SiteID, AgentID: c.AgentID, ConnectionID: c.ID}
}

// record adds an entry, also when the caller is gone. What was done cannot be undone for want of an entry: the log has it
// then.
func (a *API) record(ctx context.Context, v *visit, p *auth.Principal, result string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTime)
	defer cancel()
	_, err := a.store.RecordAudit(ctx, store.AuditEntry{
		OrganisationID: p.OrganisationID, Actor: store.Actor{ID: p.TokenID, Name: p.Name, Role: p.Role},
		Action: v.operation, Subject: v.subject, RequestID: requestIDOf(ctx), Result: result,
	})
	if err != nil {
		a.logger.ErrorContext(ctx, "audit not written", "request_id", requestIDOf(ctx), "token_id", p.TokenID, "action", v.operation,
			"target", v.subject.Target, "result", result, "error", err)
	}
}

// auditDocument is one entry of the audit.
type auditDocument struct {
	ID           string        `json:"id"`
	At           *time.Time    `json:"at"`
	Actor        actorDocument `json:"actor"`
	Action       string        `json:"action"`
	Target       string        `json:"target"`
	SiteID       string        `json:"site_id,omitempty"`
	AgentID      string        `json:"agent_id,omitempty"`
	ConnectionID string        `json:"connection_id,omitempty"`
	RequestID    string        `json:"request_id"`
	Result       string        `json:"result"` // OK, or the code that it failed with
}

// actorDocument is who did it: an organisation key, a one-time token that enrolled an agent (role `enrolment`), or whoever
// owns the relay (role `operator`, no id).
type actorDocument struct {
	ID   string     `json:"id,omitempty"`
	Name string     `json:"name"`
	Role store.Role `json:"role" openapi:"admin|support|read|enrolment|operator"`
}

func showAudit(e store.AuditEntry) auditDocument {
	return auditDocument{
		ID: e.ID, At: moment(e.At), Actor: actorDocument(e.Actor), Action: e.Action, Target: e.Subject.Target, SiteID: e.Subject.SiteID,
		AgentID: e.Subject.AgentID, ConnectionID: e.Subject.ConnectionID, RequestID: e.RequestID, Result: e.Result,
	}
}

// listAudit gives the entries after an id (`after`), which misses nothing for a reader who comes back with the last id
// that it has seen; or the last so many (`last`), of all or of those before an id (`before`), which leads back.
func (a *API) listAudit(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	query, wanted, err := page(r, "after", "last", "before")
	if err != nil {
		return err
	}
	most, err := a.begin(ctx, p.OrganisationID, query, &wanted)
	if err != nil {
		return err
	}
	rows, err := a.store.Audit(ctx, p.OrganisationID, wanted)
	if err != nil {
		return err
	}
	if query.Has("last") {
		rows, wanted.Limit = rows[:min(len(rows), most)], largestPage+1 // it is whole
	}
	return reply(w, http.StatusOK, paged(rows, wanted, func(e store.AuditEntry) string { return e.ID }, showAudit))
}

// begin finds where the list begins, and with `last` how many entries it has at most.
func (a *API) begin(ctx context.Context, organisation string, query url.Values, wanted *store.Page) (most int, err error) {
	after, last, before := query.Get("after"), query.Get("last"), query.Get("before")
	if after != "" && (wanted.After != "" || last != "") || last != "" && (wanted.After != "" || query.Has("limit")) {
		return 0, badParameter("after", "one of after, cursor and last")
	}
	if after != "" {
		wanted.After = after
	}
	if _, ok := store.AuditNumber(wanted.After); !ok {
		return 0, badParameter("after", "the id of an entry")
	}
	end, ok := store.AuditNumber(before)
	if !ok || before != "" && last == "" {
		return 0, badParameter("before", "the id of an entry, together with last")
	}
	if last == "" {
		return 0, nil
	}
	if most, err = strconv.Atoi(last); err != nil || most < 1 || most > largestPage {
		return 0, badParameter("last", "a number from 1 to %d", largestPage)
	}
	size, err := a.store.AuditSize(ctx, organisation)
	if before != "" {
		size = min(size, end-1)
	}
	if size > most {
		wanted.After = store.AuditID(size - most)
	}
	wanted.Limit = largestPage
	return min(most, size), err
}
