package agent

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"gantry/agent/calls"
	"gantry/agent/control"
	"gantry/agent/doctor"
	"gantry/agent/journal"
	"gantry/agent/state"
	"gantry/agent/support"
	"gantry/configs"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// connectionsTime bounds the checks of connections, so that the relay still has time to tell of them.
const connectionsTime = 12 * time.Second

// shownRuns is how many runs of support a status shows.
const shownRuns = 20

// supports puts the runs of support before the calls.
func (a *Agent) supports(ctx context.Context, r *running) error {
	consent, err := support.NewConsent(ctx, a.supportMode, r.db)
	if err != nil {
		return err
	}
	r.consent = consent
	r.support = support.NewHandler(support.Options{Consent: consent, Doctor: surgery{a, r}, Bundle: a, Logs: a, Record: r.db, Logger: a.logger})
	return nil
}

// supportMode is what the configuration in force says.
func (a *Agent) supportMode() support.Mode { return support.Mode(a.loaded.Load().config.Support) }

// serveRelay shares what the relay asks between the calls of connections and the runs of support.
func (r *running) serveRelay() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if r.support.Serves(request) {
			r.support.ServeHTTP(w, request)
			return
		}
		r.handler.ServeHTTP(w, request)
	})
}

// surgery is the doctor within the running agent.
type surgery struct {
	agent   *Agent
	running *running
}

var _ support.Doctor = surgery{}

// DiagnoseConnection implements support.Doctor.
func (s surgery) DiagnoseConnection(ctx context.Context, id string, tell support.Tell) (check.Report, error) {
	row, err := s.running.db.Connection(ctx, id)
	if errors.Is(err, state.ErrNoConnection) {
		return check.Report{}, fault.New(fault.NotFound, "The agent holds no login for this connection.").At(fault.HopAgent).Reaches(fault.ScopeConnection).
			Advise("The agent's state was lost or the connection was erased at the site: relink it.")
	}
	if err != nil {
		return check.Report{}, err
	}
	return s.agent.checkConnections(ctx, s.running.handler, []state.Connection{row}, tell), nil
}

// DiagnoseAgent implements support.Doctor.
func (s surgery) DiagnoseAgent(ctx context.Context, deep bool, tell support.Tell) check.Report {
	return s.agent.Examine(ctx, deep, tell)
}

// connections are the checks of all connections of the running agent; none where it holds no identity.
func (a *Agent) connections(ctx context.Context) *doctor.Connections {
	r := a.running.Load()
	if r == nil {
		return &doctor.Connections{}
	}
	rows, err := r.db.Connections(ctx)
	if err != nil {
		a.logger.WarnContext(ctx, "connections not read", "error", err)
	}
	return doctor.NewConnections(ctx, r.handler, named(rows))
}

func named(rows []state.Connection) []doctor.Connection {
	all := make([]doctor.Connection, len(rows))
	for i, row := range rows {
		all[i] = doctor.Connection{ID: row.ID, Name: row.Name, System: row.System, User: doctor.UserOf(row.Settings)}
	}
	return all
}

// checkConnections looks at connections in the way of their calls.
func (a *Agent) checkConnections(ctx context.Context, handler *calls.Handler, rows []state.Connection, tell support.Tell) check.Report {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	connections := doctor.NewConnections(ctx, handler, named(rows))
	defer connections.Close()
	return check.Run(ctx, connections.Checks, check.Options{Program: "gantry-agent", Version: a.opts.Version, Limit: connectionsTime, AtOnce: 4, Progress: tell})
}

// CheckConnections implements control.Source.
func (a *Agent) CheckConnections(ctx context.Context, idOrName string) (check.Report, error) {
	r := a.running.Load()
	if r == nil {
		return check.Report{}, state.ErrNotEnrolled
	}
	return a.checkNamed(ctx, r.db, r.handler, idOrName)
}

// checkNamed looks at one connection, or at all where none is named.
func (a *Agent) checkNamed(ctx context.Context, db *state.DB, handler *calls.Handler, idOrName string) (check.Report, error) {
	rows, err := db.Connections(ctx)
	if err != nil || idOrName == "" {
		return a.checkConnections(ctx, handler, rows, nil), err
	}
	id, err := handler.Find(ctx, idOrName)
	if err != nil {
		return check.Report{}, err
	}
	rows = slices.DeleteFunc(rows, func(c state.Connection) bool { return c.ID != id })
	return a.checkConnections(ctx, handler, rows, nil), nil
}

// Support implements control.Source.
func (a *Agent) Support(ctx context.Context) (control.Support, error) {
	r := a.running.Load()
	if r == nil {
		return control.Support{}, state.ErrNotEnrolled
	}
	return showSupport(ctx, r.consent, r.db)
}

// LetSupportIn implements control.Source.
func (a *Agent) LetSupportIn(ctx context.Context, span time.Duration) (control.Support, error) {
	r := a.running.Load()
	if r == nil {
		return control.Support{}, state.ErrNotEnrolled
	}
	return a.changeSupport(ctx, r.consent, r.db, span)
}

// changeSupport lets support in for a time; 0: not any more.
func (a *Agent) changeSupport(ctx context.Context, consent *support.Consent, db *state.DB, span time.Duration) (control.Support, error) {
	change := func() error { return consent.Open(ctx, span) }
	if span == 0 {
		change = func() error { return consent.Close(ctx) }
	}
	if err := change(); err != nil {
		return control.Support{}, err
	}
	a.logger.InfoContext(ctx, "support's consent changed by a person", "open", span > 0, "for", span)
	return showSupport(ctx, consent, db)
}

func showSupport(ctx context.Context, consent *support.Consent, db *state.DB) (control.Support, error) {
	runs, err := db.SupportRuns(ctx, shownRuns)
	if err != nil {
		return control.Support{}, err
	}
	now := consent.State()
	s := control.Support{Schema: control.Schema, Mode: string(now.Mode), Open: now.Open, Until: now.Until, Runs: []control.SupportRun{}}
	for _, r := range runs {
		s.Runs = append(s.Runs, control.SupportRun{
			At: r.At, Actor: r.Actor, Action: r.Action, Connection: r.Connection, RequestID: r.RequestID, Result: r.Result, MS: r.Took.Milliseconds(),
		})
	}
	return s, nil
}

// Resting is an agent that does not run, opened for a moment to be looked at.
type Resting struct {
	agent   *Agent
	db      *state.DB
	handler *calls.Handler
	consent *support.Consent
}

// Rest takes the state folder of an agent that does not run, and does something with it. The error is state.ErrInUse if
// one does.
func Rest(ctx context.Context, config configs.Agent, opts Options, do func(*Resting) error) error {
	a, err := New(config, opts)
	if err != nil {
		return err
	}
	store, err := openStore(ctx, config.StateDir)
	if err != nil {
		return err
	}
	defer store.close(a.logger)
	id, err := store.identity(ctx)
	if err != nil {
		return err
	}
	j, err := journal.New(ctx, store.db.SQL())
	if err != nil {
		return err
	}
	consent, err := support.NewConsent(ctx, a.supportMode, store.db)
	if err != nil {
		return err
	}
	handler := a.handler(store, id, j, "")
	defer handler.Close()
	return do(&Resting{a, store.db, handler, consent})
}

// CheckConnections looks at one connection, or at all, as the running agent does.
func (r *Resting) CheckConnections(ctx context.Context, idOrName string) (check.Report, error) {
	return r.agent.checkNamed(ctx, r.db, r.handler, idOrName)
}

// Support tells whether support may come in once the agent runs, and what it did.
func (r *Resting) Support(ctx context.Context) (control.Support, error) {
	return showSupport(ctx, r.consent, r.db)
}

// LetSupportIn lets support in for a time; 0: not any more.
func (r *Resting) LetSupportIn(ctx context.Context, span time.Duration) (control.Support, error) {
	return r.agent.changeSupport(ctx, r.consent, r.db, span)
}
