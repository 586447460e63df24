package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/records"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// Bounds of a sync's interval.
const (
	leastEvery = time.Minute
	mostEvery  = 7 * 24 * time.Hour
)

// syncState is how a sync does.
type syncState string

// The states of syncs.
const (
	syncPending      syncState = "pending"      // it is about to run: for the first time, or because somebody asked
	syncRunning      syncState = "running"      // a run is under way
	syncIdle         syncState = "idle"         // the last run ended well, and the next has its time
	syncFailing      syncState = "failing"      // the last try failed; error says why, and it is tried again by itself
	syncHeld         syncState = "held"         // a full run found so little that nothing was marked as deleted; error says what to do
	syncOff          syncState = "off"          // it has no schedule
	syncPaused       syncState = "paused"       // the connection is paused
	syncDisconnected syncState = "disconnected" // the connection is disconnected; what was synced stays
)

func syncStates() []syncState {
	return []syncState{syncPending, syncRunning, syncIdle, syncFailing, syncHeld, syncOff, syncPaused, syncDisconnected}
}

// syncDocument is one sync as callers see it.
type syncDocument struct {
	Entity        string         `json:"entity"`
	State         syncState      `json:"state"` // how it does
	Enabled       bool           `json:"enabled"`
	Every         *string        `json:"every"`       // the interval, as `15m`; null: it was never set
	Since         *time.Time     `json:"since"`       // how far the first run looks back; null: to the beginning
	Incremental   *bool          `json:"incremental"` // whether the system tells what changed, so that not all is read each time; null: no run has found out yet
	Records       int            `json:"records"`     // stored, and there at the source
	Deleted       int            `json:"deleted"`     // stored, and gone at the source
	LastSuccessAt *time.Time     `json:"last_success_at"`
	LastFullAt    *time.Time     `json:"last_full_at"` // the last run that looked for what is gone
	NextRunAt     *time.Time     `json:"next_run_at"`  // while it fails: the next try
	LagSeconds    *int64         `json:"lag_seconds"`  // how old what is stored may be; null: nothing is
	Failures      int            `json:"failures"`     // tries that failed in a row
	Error         *fault.Problem `json:"error"`
	ErrorAt       *time.Time     `json:"error_at"`
	Run           *runDocument   `json:"run"`      // under way
	LastRun       *runDocument   `json:"last_run"` // the last that ended well
	Totals        records.Totals `json:"totals"`   // what all runs did: as many record.* events as there ever were
}

// runDocument is one run of a sync.
type runDocument struct {
	ID         string       `json:"id"`
	Kind       records.Kind `json:"kind"`   // everything, or what changed since the last run
	Manual     bool         `json:"manual"` // somebody asked for it
	StartedAt  *time.Time   `json:"started_at"`
	FinishedAt *time.Time   `json:"finished_at"`
	records.Counts
}

func showRun(r *records.Run) *runDocument {
	if r == nil {
		return nil
	}
	return &runDocument{r.ID, r.Kind, r.Manual, moment(r.StartedAt), moment(r.FinishedAt), r.Counts}
}

func showSync(s records.Sync, c *store.Connection) (syncDocument, error) {
	d := syncDocument{
		Entity: s.Entity, State: stateOfSync(s, c), Enabled: s.Enabled, Since: moment(s.Since), Records: s.Live, Deleted: s.Gone,
		LastSuccessAt: moment(s.LastSuccessAt), LastFullAt: moment(s.LastFullAt), NextRunAt: moment(s.NextRunAt),
		Failures: s.Failures, ErrorAt: moment(s.ProblemAt), Run: showRun(s.Run), LastRun: showRun(s.Last), Totals: s.Total,
	}
	if s.Every > 0 {
		every := shortDuration(s.Every)
		d.Every = &every
	}
	if !s.LastSuccessAt.IsZero() {
		lag := int64(max(time.Since(s.LastSuccessAt), 0) / time.Second)
		d.LagSeconds = &lag
	}
	if d.State == syncRunning {
		d.NextRunAt = nil
	}
	if s.Problem != nil {
		if err := json.Unmarshal(s.Problem, &d.Error); err != nil {
			return d, fmt.Errorf("read problem of sync: %w", err)
		}
	}
	if s.Capabilities != nil {
		can, err := capabilitiesOf(s)
		if err != nil {
			return d, err
		}
		tells := slices.Contains(can.Filters, "modified_after")
		d.Incremental = &tells
	}
	return d, nil
}

func stateOfSync(s records.Sync, c *store.Connection) syncState {
	switch {
	case c.State == store.Disconnected:
		return syncDisconnected
	case c.State == store.Paused:
		return syncPaused
	case s.Failures > 0:
		return syncFailing
	case s.Run != nil:
		return syncRunning
	case s.Asked.Kind != "", s.Enabled && s.Last == nil:
		return syncPending
	case s.Problem != nil:
		return syncHeld
	case !s.Enabled:
		return syncOff
	}
	return syncIdle
}

// shortDuration writes 15m0s as 15m.
func shortDuration(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

func capabilitiesOf(s records.Sync) (can wire.EntityCapabilities, err error) {
	if s.Capabilities == nil {
		return can, nil
	}
	if err = json.Unmarshal(s.Capabilities, &can); err != nil {
		err = fmt.Errorf("read capabilities of sync: %w", err)
	}
	return can, err
}

// syncStatus lists the connection's syncs.
func (a *API) syncStatus(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	all, err := a.records.Syncs(r.Context(), p.Connection.ID)
	if err != nil {
		return err
	}
	answer := list[syncDocument]{Data: []syncDocument{}}
	for _, s := range all {
		d, err := showSync(s, p.Connection)
		if err != nil {
			return err
		}
		answer.Data = append(answer.Data, d)
	}
	return reply(w, http.StatusOK, answer)
}

// scheduleWish is the body of PUT /syncs/{entity}.
type scheduleWish struct {
	Every   string     `json:"every"`             // the interval, from `1m` to `168h`
	Since   *time.Time `json:"since,omitempty"`   // how far the first run looks back
	Enabled *bool      `json:"enabled,omitempty"` // whether it runs by itself; true, if left out
}

func (s scheduleWish) schedule() (records.Schedule, error) {
	every, err := time.ParseDuration(s.Every)
	if err != nil || every < leastEvery || every > mostEvery {
		return records.Schedule{}, badParameter("every", "an interval from 1m to 168h, as `15m` or `24h`")
	}
	schedule := records.Schedule{Every: every, Enabled: s.Enabled == nil || *s.Enabled}
	if s.Since != nil {
		schedule.Since = s.Since.UTC()
	}
	return schedule, nil
}

// putSync sets a sync's schedule.
func (a *API) putSync(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	wish, err := decode[scheduleWish](body)
	if err != nil {
		return err
	}
	schedule, err := wish.schedule()
	if err != nil {
		return err
	}
	return a.changeSync(w, r, p, http.StatusOK, func(ctx context.Context, key records.Key) (records.Sync, error) {
		return a.records.PutSync(ctx, p.OrganisationID, key, schedule)
	})
}

// runWish is the body of POST /syncs/{entity}.
type runWish struct {
	Full            bool `json:"full,omitempty"`             // read everything, and look for what is gone
	AcceptDeletions bool `json:"accept_deletions,omitempty"` // with full: what is not found is gone, however much it is
}

// runSync has a sync run now.
func (a *API) runSync(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.optionalBody(w, r)
	if err != nil {
		return err
	}
	wish, err := decode[runWish](body)
	if err != nil {
		return err
	}
	asked := records.Asked{Kind: records.Incremental, Accepts: wish.AcceptDeletions}
	switch {
	case wish.Full:
		asked.Kind = records.Full
	case wish.AcceptDeletions:
		return badParameter("accept_deletions", "goes with `full` alone: only a full run looks for what is gone")
	}
	return a.changeSync(w, r, p, http.StatusAccepted, func(ctx context.Context, key records.Key) (records.Sync, error) {
		return a.records.AskRun(ctx, p.OrganisationID, key, asked)
	})
}

func (a *API) changeSync(w http.ResponseWriter, r *http.Request, p *auth.Principal, status int, change func(context.Context, records.Key) (records.Sync, error)) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	key, err := a.syncable(r, p)
	if err != nil {
		return err
	}
	s, err := change(r.Context(), key)
	if err != nil {
		return err
	}
	a.wake(r.Context(), key)
	d, err := showSync(s, p.Connection)
	if err != nil {
		return err
	}
	return reply(w, status, d)
}

// syncable finds the entity that the path names among those that the connection's system lists.
func (a *API) syncable(r *http.Request, p *auth.Principal) (records.Key, error) {
	c, entity := p.Connection, r.PathValue("entity")
	key := records.Key{Connection: c.ID, Entity: entity}
	if !entityName.MatchString(entity) || len(entity) > 64 {
		return key, noEntity()
	}
	system, err := a.system(r.Context(), p.OrganisationID, c.SiteID, c.System)
	if err != nil {
		return key, err
	}
	at := slices.IndexFunc(system.Entities, func(e wire.SystemEntity) bool { return e.Name == entity })
	switch {
	case at < 0:
		return key, noEntity()
	case !slices.Contains(system.Entities[at].Operations, opList):
		return key, fault.New(fault.OperationNotSupported, "This system cannot list %s, so that they cannot be synced.", entity).In(entity, opList, "")
	}
	return key, nil
}

func noEntity() *fault.Error {
	return fault.New(fault.NotFound, "The connection's system has no such entity.").Reaches(fault.ScopeEntity).
		Advise("See GET /connection/capabilities for what it has.")
}

// eraseTime is how long an answer waits for the records to be erased.
const eraseTime = 100 * time.Second

// eraseRecords removes what was synced, and the syncs with it: else they would bring it back.
func (a *API) eraseRecords(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	c, err := a.store.Connection(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	about(w, ofConnection(c))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eraseTime) // to its end, also when the caller goes away
	defer cancel()
	err = a.records.Erase(ctx, c.ID)
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Overloaded, "The records are out of reach for everybody, and erasing them takes longer than this call: it goes on by itself.").
			After(time.Minute).Advise("Send it again to see whether it is done.").Because(err)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
