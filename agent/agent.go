// Package agent is the program in the plant: it keeps sessions with the relay up, and answers the relay's calls as the
// plant's policy allows.
//
// New takes the configuration and what the agent needs; Run keeps it alive until its context ends, then drains. Enrol makes
// a machine known to a relay, once. The parts are packages of their own: state, vault and journal on disk; links and
// dial for the two networks; policy for the plant's last word; calls for what the relay asks; control for the people
// on the host.
//
// The agent only dials out. It opens no network port.
package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"

	"gantry/agent/calls"
	"gantry/agent/control"
	"gantry/agent/doctor"
	"gantry/agent/health"
	"gantry/agent/journal"
	"gantry/agent/links"
	"gantry/agent/policy"
	"gantry/agent/state"
	"gantry/agent/support"
	"gantry/agent/vault"
	"gantry/configs"
	"gantry/connectors"
	"gantry/connectors/definition"
)

// Options are what the agent needs beside its configuration.
type Options struct {
	Version     string
	ConfigFile  string // read again by Reload; empty: the configuration stays as it was given
	Drivers     []connectors.Driver
	Definitions *definition.Set
	// LoadDefinitions reads them again when the site's own folder changed; nil: they stay as they are.
	LoadDefinitions func() (*definition.Set, error)
	Logger          *slog.Logger

	// AwaitEnrolment makes Run of an agent that is not enrolled wait until somebody enrols it, as a service does.
	AwaitEnrolment bool
	// Problem is why the configuration is not the one in the file: that one is faulty. Run ends with ErrMended when it
	// is sound.
	Problem string

	LogFile    string // which Logger writes to, for bundles and those who read it from afar; empty: none
	RuntimeDir string // of a service, where everybody on the host may ask for the status; empty: none

	MachineID string          // empty: the host's own
	Timings   configs.Timings // zero: the usual
}

// Agent is one agent. It is used for one Run.
type Agent struct {
	config  configs.Agent
	opts    Options
	logger  *slog.Logger
	policy  policy.Live
	systems atomic.Pointer[definition.Set] // compiled
	seen    uint64                         // traits of the folder that they are from
	loaded  atomic.Pointer[loaded]
	running atomic.Pointer[running]
	reloads sync.Mutex    // one reload at a time
	changed chan struct{} // another identity, or none, or a mended configuration: what runs ends, and Run looks anew
	mended  atomic.Bool
	flight  atomic.Pointer[trace.FlightRecorder] // what the process did lately
	awaits  atomic.Bool                          // for an enrolment

	tokenProblem atomic.Pointer[string] // why the token that a package left does not do, or not yet

	enrolment sync.Mutex // held by the one enrolment under way; Run takes it before it closes the store
	store     *store     // under enrolment; nil: Run does not run
}

// ErrMended is how Run ends when the configuration was faulty at the start and is sound now: make the agent anew.
var ErrMended = errors.New("the configuration is sound now")

// loaded is what the last good configuration said, for people to read.
type loaded struct {
	config  configs.Agent
	at      time.Time
	problem string // why a newer one is not in force
}

// running is what exists while Run does.
type running struct {
	started  time.Time
	db       *state.DB
	identity *identity
	handler  *calls.Handler
	consent  *support.Consent
	support  *support.Handler
	links    *links.Supervisor
	journal  *journal.Journal
	draining atomic.Bool
	expired  atomic.Bool // a session came up that may only renew: the relay's clock says what ours may not know
}

// New checks the configuration. Nothing is opened before Run.
func New(config configs.Agent, opts Options) (*Agent, error) {
	if opts.Definitions == nil || opts.Logger == nil {
		return nil, errors.New("make agent: definitions and a logger are needed")
	}
	a := &Agent{config: config, opts: opts, logger: opts.Logger, changed: make(chan struct{}, 1)}
	a.systems.Store(opts.Definitions.Prepare(opts.Drivers))
	if config.Definitions != "" {
		a.seen = traits(os.DirFS(config.Definitions))
	}
	if err := a.policy.Replace(config.Policy, a.own()); err != nil {
		return nil, fmt.Errorf("make agent: %w", err)
	}
	a.loaded.Store(&loaded{config: config, at: time.Now(), problem: opts.Problem})
	return a, nil
}

// own are the files that no policy opens.
func (a *Agent) own() policy.Own {
	return policy.Own{StateDir: a.config.StateDir, ConfigFile: a.opts.ConfigFile}
}

// Run serves until ctx ends, then lets the calls under way finish and returns. It also answers on the control channel of the
// state folder. The error is state.ErrNotEnrolled unless Options.AwaitEnrolment, state.ErrInUse, that of a state which
// cannot be opened, or ErrMended; an unreachable relay, or one that refuses, is none: Status tells it.
func (a *Agent) Run(ctx context.Context) error {
	store, err := openStore(ctx, a.config.StateDir)
	if err != nil {
		return err
	}
	a.lend(store)
	defer store.close(a.logger)
	defer a.lend(nil)
	defer a.record(ctx)()
	var work sync.WaitGroup
	defer work.Wait()
	controlled, endControl := context.WithCancel(context.WithoutCancel(ctx)) // `status` answers while the agent drains
	defer endControl()
	work.Go(func() {
		if err := control.Serve(controlled, a.config.StateDir, a, a.logger); err != nil {
			a.logger.WarnContext(ctx, "control channel failed", "error", err)
		}
	})
	if a.opts.RuntimeDir != "" {
		work.Go(func() {
			if err := control.ServeStatus(controlled, a.opts.RuntimeDir, a, a.logger); err != nil {
				a.logger.WarnContext(ctx, "status channel failed", "error", err)
			}
		})
	}
	for ctx.Err() == nil && !a.mended.Load() {
		if err := a.term(ctx, store); err != nil && ctx.Err() == nil {
			return err
		}
	}
	if ctx.Err() == nil {
		return ErrMended
	}
	return nil
}

// term serves as long as the agent is who it is now. Without an identity it waits for one.
func (a *Agent) term(ctx context.Context, store *store) error {
	term, end := context.WithCancel(ctx)
	var ending sync.WaitGroup
	defer ending.Wait()
	defer end()
	ending.Go(func() {
		defer end()
		select {
		case <-a.changed:
		case <-term.Done():
		}
	})
	id, err := store.identity(ctx)
	switch {
	case errors.Is(err, state.ErrNotEnrolled) && a.opts.AwaitEnrolment:
		a.logger.WarnContext(ctx, "not enrolled, waits for an enrolment")
		a.awaits.Store(true)
		defer a.awaits.Store(false)
		a.enrolByFile(term)
		<-term.Done()
		return nil
	case err != nil:
		return err
	}
	if err := a.noteMachine(ctx, store.db); err != nil {
		return err
	}
	j, err := journal.New(ctx, store.db.SQL())
	if err != nil {
		return err
	}
	r, err := a.assemble(ctx, store, id, j)
	if err != nil {
		return err
	}
	defer r.handler.Close()
	a.running.Store(r)
	defer a.running.Store(nil)
	a.serve(term, r, j)
	return nil
}

// noteMachine notes where the identity is at home, and warns of a copy: the relay takes one of two.
func (a *Agent) noteMachine(ctx context.Context, db *state.DB) error {
	here := a.opts.machineID()
	noted, err := db.NoteMachine(ctx, here)
	if err == nil && noted != here {
		a.logger.WarnContext(ctx, "state was made on another machine, never let both run", "noted", noted, "here", here)
	}
	return err
}

// serve runs the agent's goroutines and waits for them. Housekeeping ends first, the sessions drain meanwhile.
func (a *Agent) serve(ctx context.Context, r *running, j *journal.Journal) {
	a.logger.InfoContext(ctx, "agent starts", "agent", r.identity.Agent, "site", r.identity.Site, "relay", r.identity.Relay, "version", a.opts.Version)
	a.tellFaulty(ctx, a.systems.Load())
	var work sync.WaitGroup
	work.Go(func() { a.renewals(ctx, r) })
	work.Go(func() { a.purges(ctx, j) })
	work.Go(func() { r.handler.Probes(ctx) })
	work.Go(func() { a.followDefinitions(ctx, r) })
	stop := context.AfterFunc(ctx, func() { r.draining.Store(true) })
	defer stop()
	r.links.Run(ctx)
	work.Wait()
	a.logger.InfoContext(ctx, "agent stopped")
}

// assemble puts the parts together.
func (a *Agent) assemble(ctx context.Context, store *store, id *identity, j *journal.Journal) (*running, error) {
	r := &running{started: time.Now(), db: store.db, identity: id, journal: j}
	instance := rand.Text()
	r.handler = a.handler(store, id, j, instance)
	if err := a.supports(ctx, r); err != nil {
		return nil, err
	}
	connect, err := a.connector(r, instance)
	if err != nil {
		return nil, err
	}
	r.links = links.New(links.Options{
		Sessions: a.config.Sessions, Dial: connect, Refusal: refusal, Logger: a.logger,
		ReconnectMin: a.opts.Timings.ReconnectMin, ReconnectMax: a.opts.Timings.ReconnectMax, Healthy: a.opts.Timings.Healthy,
	})
	return r, nil
}

// handler serves calls with what the state folder holds.
func (a *Agent) handler(store *store, id *identity, j *journal.Journal, instance string) *calls.Handler {
	book := health.New(a.logger)
	return calls.New(calls.Options{
		Agent: id.Agent, Instance: instance, Organisation: id.Organisation, Site: id.Site,
		State: store.db, Vault: store.vault, Journal: j, Policy: &a.policy, SealingKey: id.sealing,
		Definitions: a.systems.Load, Logger: a.logger,
		Health:  book,
		Open:    a.opener(id.cursor, book, a.dialer().Dial),
		Witness: doctor.Witness,
	})
}

// purges forgets old entries of the journal, at the start and then every hour.
func (a *Agent) purges(ctx context.Context, j *journal.Journal) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		if n, err := j.Purge(ctx); err != nil && ctx.Err() == nil {
			a.logger.WarnContext(ctx, "journal not purged", "error", err)
		} else if n > 0 {
			a.logger.InfoContext(ctx, "journal purged", "entries", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// store is the state folder, opened by one process.
type store struct {
	lock  *os.File
	db    *state.DB
	vault *vault.Vault
}

// openStore makes the folder if need be, takes it, and opens what lies in it.
func openStore(ctx context.Context, dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state folder: %w", err)
	}
	lock, err := state.Lock(dir)
	if err != nil {
		return nil, err
	}
	s := &store{lock: lock}
	if s.db, err = state.Open(ctx, dir); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if s.vault, err = vault.Open(dir); err != nil {
		return nil, errors.Join(err, s.db.Close(), lock.Close())
	}
	return s, nil
}

func (s *store) close(logger *slog.Logger) {
	if err := errors.Join(s.db.Close(), s.lock.Close()); err != nil {
		logger.Warn("state not closed", "error", err)
	}
}
