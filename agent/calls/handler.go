// Package calls serves the relay's calls at the agent: the agent's half of package wire, as one http.Handler that every
// session shares.
//
// The order of a call is that of the design: bound the time, authorise by the plant's policy, look a write's key up in
// the journal, take a place within the limits, put the write on disk as started, run it, put its result on disk,
// answer. A write that was started runs to its end within its time even when the caller goes away, so that its outcome
// is known; everything else is cancelled with the caller. A panic is one failed call.
//
// The package trusts nothing that the relay says about what is allowed. It logs each failed call once, never a record
// and never a secret.
package calls

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"time"

	"gantry/agent/health"
	"gantry/agent/journal"
	"gantry/agent/policy"
	"gantry/agent/state"
	"gantry/agent/vault"
	"gantry/connectors/definition"
	"gantry/connectors/seal"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// Bounds of a call.
const (
	defaultBudget = 30 * time.Second // where the relay names none
	effectFloor   = 5 * time.Second  // what a started write has at least, to end and to be journaled
	maxBody       = 4 << 20          // of a request, in bytes
	maxStreams    = 64               // at once
	maxWatches    = 8                // of the connections' health, at once
	maxCalls      = 256              // at once, streams aside
)

// Opener logs in to a system. The Engine need not have proved the login yet.
type Opener func(ctx context.Context, login Login) (Engine, error)

// Login is what an Opener needs.
type Login struct {
	Connection  policy.Connection
	Definition  *definition.Definition
	Settings    json.RawMessage
	Credentials json.RawMessage
	Overlay     wire.Overlay // what the plant's policy lets be laid over the definition
}

// Options are what the handler needs.
type Options struct {
	Agent, Instance    string
	Organisation, Site string

	State       *state.DB
	Vault       *vault.Vault
	Journal     *journal.Journal
	Policy      *policy.Live
	SealingKey  seal.PrivateKey
	Definitions func() *definition.Set // those in force
	Health      *health.Book
	Open        Opener
	Witness     Witness
	Logger      *slog.Logger
}

// Handler serves the calls of the relay.
type Handler struct {
	Options
	pool    *pool
	rest    rest
	mux     *http.ServeMux
	calls   chan struct{} // places
	streams chan struct{}
	watches chan struct{}
}

// New makes the handler.
func New(opts Options) *Handler {
	h := &Handler{Options: opts, mux: http.NewServeMux(), calls: make(chan struct{}, maxCalls), streams: make(chan struct{}, maxStreams), watches: make(chan struct{}, maxWatches)}
	h.pool = newPool(opts.State, opts.Health, h.reopen)
	for pattern, handle := range map[string]handled{
		"GET " + wire.PathPing:           h.ping,
		"GET " + wire.PathCatalogue:      h.catalogue,
		"POST " + wire.PathReconcile:     h.reconcile,
		"DELETE " + wire.PathConnection:  h.eraseConnection,
		"GET " + wire.PathCapabilities:   h.capabilities,
		"GET " + wire.PathDiscovered:     h.discovered,
		"GET " + wire.PathOverlay:        h.getOverlay,
		"PUT " + wire.PathOverlay:        h.putOverlay,
		"DELETE " + wire.PathOverlay:     h.deleteOverlay,
		"POST " + wire.PathResetCircuits: h.resetCircuits,
		"POST " + wire.PathPassthrough:   h.passthrough,
		"GET " + wire.PathRecord:         h.onEntity("get", h.get),
		"POST " + wire.PathRecords:       h.onEntity("create", h.write),
		"PATCH " + wire.PathRecord:       h.onEntity("update", h.write),
		"DELETE " + wire.PathRecord:      h.onEntity("delete", h.write),
		"POST " + wire.PathAction:        h.onEntity("", h.write),
	} {
		h.mux.Handle(pattern, h.unary(handle))
	}
	h.mux.HandleFunc("GET "+wire.PathHealth, h.health)
	h.mux.Handle("GET "+wire.PathRecords, either(h.stream, h.unary(h.onEntity("list", h.list))))
	h.mux.Handle("PUT "+wire.PathConnection, either(h.openTold, h.unary(h.openConnection)))
	return h
}

// either streams to whoever accepts NDJSON, and answers others as a whole.
func either(stream http.HandlerFunc, whole http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == wire.NDJSON {
			stream(w, r)
			return
		}
		whole.ServeHTTP(w, r)
	})
}

// Close ends every connection. Calls under way are cancelled.
func (h *Handler) Close() { h.pool.close() }

// Reset closes every login, so that the policy's word on targets and paths is asked anew. Calls under way are cancelled.
func (h *Handler) Reset() { h.pool.reset(errReset(), func(*connection) bool { return true }) }

// Redefined closes the logins to systems whose definitions changed; each is opened again when it is next called.
func (h *Handler) Redefined(systems []string) {
	h.pool.reset(errReset(), func(c *connection) bool { return slices.Contains(systems, c.row.System) })
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := guard(func() error {
		if _, pattern := h.mux.Handler(r); pattern == "" || path.Clean(r.URL.EscapedPath()) != r.URL.EscapedPath() {
			return fault.New(fault.NotFound, "The agent has no such path.").At(fault.HopAgent).
				Advise("Check the id; if it is right, update the agent.")
		}
		h.mux.ServeHTTP(w, r)
		return nil
	})
	if err != nil { // a panic outside of a call's own guard, or no such path
		h.fail(w, r, err)
	}
}

// fail answers with an error and logs it, once.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := h.complete(r, err)
	h.log(r, f, err)
	f.Write(w)
}

// complete makes the fault that leaves the agent of any error.
func (h *Handler) complete(r *http.Request, err error) *fault.Error {
	f := fault.From(err, fault.HopAgent).Clone()
	f.RequestID, f.AgentID = r.Header.Get(wire.HeaderRequestID), h.Agent
	if c := r.PathValue("c"); c != "" {
		f.ConnectionID = c
	}
	return f
}

// log writes the one line of a failed call: what the caller did wrong is of interest to a debugger alone, and so is a call that
// an open circuit held back, whose opening was told.
func (h *Handler) log(r *http.Request, f *fault.Error, err error) {
	level := slog.LevelWarn
	switch {
	case f.Code == fault.Internal || isPanic(err):
		level = slog.LevelError
	case f.Hop == fault.HopClient || f.Code == fault.Cancelled || f.Code == fault.CircuitOpen || f.Code.Spec().Status < 500 && f.Hop != fault.HopPolicy:
		level = slog.LevelDebug
	}
	h.Logger.Log(r.Context(), level, "call failed", "request_id", f.RequestID, "connection", f.ConnectionID, "entity", f.Entity,
		"operation", f.Operation, "code", f.Code, "hop", f.Hop, "outcome", f.Outcome, "error", err)
}
