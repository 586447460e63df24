package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"gantry/configs"
	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/hub"
	"gantry/relay/records"
	"gantry/relay/status"
	"gantry/relay/store"
	"gantry/relay/webhooks"
	"gantry/tunnel/fault"
)

// Meter counts calls; *metrics.Metrics is one.
type Meter interface {
	// Call counts one finished request. code is a fault.Code, or "OK"; hop is empty where nothing failed.
	Call(operation, code, hop string, took time.Duration)
}

// TokenMaker writes the text of an enrolment token around a secret.
type TokenMaker func(secret []byte, expires time.Time) string

// Options are what the API works with.
type Options struct {
	Store         store.Store // Authenticator.Store, so that revocations take effect at once
	Authenticator *auth.Authenticator
	Hub           *hub.Hub
	Status        *status.Keeper
	Systems       []wire.System // the relay's own catalogue, for sites whose agents published none
	EnrolToken    TokenMaker
	Records       records.Store
	SyncSoon      func(ctx context.Context, key records.Key) // has a sync that is due looked at
	Guard         webhooks.Guard                             // says where webhooks may lead
	Limits        configs.RelayLimits
	Meter         Meter
	Logger        *slog.Logger
}

// API serves /api/v1.
type API struct {
	store   store.Store
	auth    *auth.Authenticator
	hub     *hub.Hub
	status  *status.Keeper
	systems []wire.System
	token   TokenMaker
	records records.Store
	wake    func(context.Context, records.Key) // has a sync that is due looked at
	guard   webhooks.Guard
	limits  configs.RelayLimits
	limiter *auth.Limiter
	calls   *gate
	streams *gate
	logins  *gate // new logins of a connection, one at a time
	runs    runs

	followers *gate         // of events
	stopping  chan struct{} // closed by Retire

	meter  Meter
	logger *slog.Logger
	mux    mux
}

// New makes the API. It starts nothing.
func New(o Options) *API {
	a := &API{
		store: o.Store, auth: o.Authenticator, hub: o.Hub, status: o.Status, systems: o.Systems, token: o.EnrolToken, guard: o.Guard,
		records: o.Records, wake: o.SyncSoon,
		limits:  o.Limits,
		limiter: auth.NewLimiter(float64(o.Limits.RatePerToken), o.Limits.BurstPerToken, nil),
		calls:   newGate(o.Limits.CallsPerConnection, "calls"),
		streams: newGate(o.Limits.StreamsPerConnection, "streams"),
		logins:  newGate(1, "logins"),
		runs:    newRuns(),

		followers: newGate(maxFollowers, "followers of its events"), stopping: make(chan struct{}),
		meter: o.Meter, logger: o.Logger,
	}
	a.mux.patterns = patterns(routesOf(a))
	return a
}

// ServeHTTP answers one request: it gives it an id, finds its handler, and turns a failure into a problem document, one
// log line and a count.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	id := requestID(r)
	w.Header().Set(headerRequestID, id)
	seen := &visit{ResponseWriter: w, operation: "none"}
	if r.ContentLength != 0 { // also a body that no handler reads: net/http reads on before it answers
		_ = http.NewResponseController(w).SetReadDeadline(start.Add(bodyTime))
	}
	r = r.WithContext(withRequestID(r.Context(), id))
	failure := a.handle(seen, r)
	a.finish(seen, r, failure, time.Since(start))
}

// visit notes what a handler learns about its request, for the log.
type visit struct {
	http.ResponseWriter
	operation string // a bounded set of names: metrics are labelled with it
	token     string // id of the token
	begun     bool   // the status is out
	subject   store.Subject

	connection *store.Connection   // whose data were asked for; nil: none
	before     func()              // runs before the status goes out; nil: nothing
	note       func(result string) // writes the audit's entry; nil: there is none
	err        error
}

// WriteHeader implements http.ResponseWriter.
func (v *visit) WriteHeader(status int) {
	if v.before != nil && !v.begun {
		v.before()
	}
	v.begun = true
	v.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (v *visit) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// handle finds the handler and runs it. A panic is the failure of one request.
func (a *API) handle(v *visit, r *http.Request) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fault.New(fault.Internal, "An unexpected fault at the relay.").Because(fmt.Errorf("panic: %v\n%s", reason, debug.Stack()))
		}
	}()
	if err := a.bounded(r); err != nil {
		return err
	}
	handler, err := a.mux.find(r)
	if err != nil {
		return err
	}
	handler.ServeHTTP(v, r)
	return v.err
}

// bounded refuses a head that is over the limit. net/http's own limit lies above, since its answer is plain text.
func (a *API) bounded(r *http.Request) error {
	size := len(r.RequestURI)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + 4
		}
	}
	if a.limits.Header > 0 && size > a.limits.Header {
		return fault.New(fault.PayloadTooLarge, "The header and the address of the request are larger than %d bytes.", a.limits.Header)
	}
	return nil
}

// finish is the boundary: here, and only here, a failure is answered, logged and counted.
func (a *API) finish(v *visit, r *http.Request, failure error, took time.Duration) {
	if failure == nil {
		a.meter.Call(v.operation, "OK", "", took)
		a.logger.DebugContext(r.Context(), "call", "request_id", requestIDOf(r.Context()), "method", r.Method, "operation", v.operation, "ms", took.Milliseconds())
		return
	}
	problem := classify(failure).Clone()
	problem.RequestID = requestIDOf(r.Context())
	a.meter.Call(v.operation, string(problem.Code), string(problem.Hop), took)
	a.log(v, r, problem, took)
	if v.connection != nil && problem.Code != fault.Cancelled {
		a.status.Failed(*v.connection, problem)
	}
	if _, streamed := errors.AsType[told](failure); streamed {
		return
	}
	if v.begun {
		panic(http.ErrAbortHandler) // net/http's way to break the connection
	}
	_ = http.NewResponseController(v).SetWriteDeadline(time.Now().Add(a.limits.ClientStall))
	problem.Write(v.ResponseWriter)
}

func (a *API) log(v *visit, r *http.Request, problem *fault.Error, took time.Duration) {
	level := slog.LevelInfo
	if problem.Code == fault.Internal {
		level = slog.LevelError
	}
	a.logger.Log(r.Context(), level, "call failed", "request_id", problem.RequestID, "code", problem.Code, "hop", problem.Hop,
		"scope", problem.Scope, "outcome", problem.Outcome, "operation", v.operation, "entity", problem.Entity,
		"connection_id", problem.ConnectionID, "agent_id", problem.AgentID, "token_id", v.token,
		"ms", took.Milliseconds(), "error", problem)
}

// classify gives the fault of an error; those of the store have their own.
func classify(err error) *fault.Error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.NotFound, "There is no such thing, or it is not yours.").Because(err)
	case errors.Is(err, store.ErrReadOnly):
		return fault.New(fault.Overloaded, "The relay cannot store anything now.").Reaches(fault.ScopeOrganisation).
			Advise("Try again later; the relay's operator has to free disk space.").After(time.Minute).Because(err)
	case errors.Is(err, store.ErrState):
		return fault.New(fault.Conflict, "The state of the connection does not allow this.").At(fault.HopRelay).Reaches(fault.ScopeConnection).Because(err)
	}
	return fault.From(err, fault.HopRelay)
}
