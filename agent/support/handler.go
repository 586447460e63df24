package support

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"gantry/agent/state"
	"gantry/connectors/wire"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// Bounds of a run.
const (
	maxRequest   = 16 << 10
	connectionIn = 14 * time.Second // the relay answers within 15 s
	agentIn      = 25 * time.Second
	deepIn       = 2 * time.Minute
	bundleIn     = 2 * time.Minute
	logsIn       = 15 * time.Minute
	maxBundle    = 64 << 20 // bytes
	maxLogs      = 16 << 20
	maxLines     = 10_000
)

// Doctor diagnoses, and tells of each result as it comes.
type Doctor interface {
	// DiagnoseAgent runs the whole graph of checks.
	DiagnoseAgent(ctx context.Context, deep bool, tell Tell) check.Report
	// DiagnoseConnection looks at one connection, hop by hop. The error is a *fault.Error where there is no such connection.
	DiagnoseConnection(ctx context.Context, id string, tell Tell) (check.Report, error)
}

// Tell is told of a result; nil: nobody is.
type Tell func(done, all int, r check.Result)

// Bundler writes the support bundle. What cannot be written whole must not be begun.
type Bundler interface {
	WriteBundle(ctx context.Context, w io.Writer) error
}

// Logs writes the agent's last log lines, and with follow the new ones until ctx ends.
type Logs interface {
	TailLogs(ctx context.Context, w io.Writer, lines int, follow bool) error
}

// Record keeps what support did; *state.DB is one.
type Record interface {
	AddSupportRun(ctx context.Context, r state.SupportRun) error
}

// Options are what the handler needs. A nil Bundle or Logs is one that this agent does not have.
type Options struct {
	Consent *Consent
	Doctor  Doctor
	Bundle  Bundler
	Logs    Logs
	Record  Record
	Logger  *slog.Logger
}

// Handler serves the paths of package wire that begin a run.
type Handler struct {
	Options
	mux         *http.ServeMux
	agents      pace // diagnoses and bundles of the whole agent
	logs        pace
	connections paces
}

// NewHandler makes the handler.
func NewHandler(o Options) *Handler {
	h := &Handler{
		Options: o, mux: http.NewServeMux(),
		agents: newPace(10*time.Second, 3, 1), logs: newPace(5*time.Second, 3, 2), connections: paces{every: 5 * time.Second, burst: 3},
	}
	h.mux.HandleFunc("POST "+wire.PathDiagnose, h.serve(h.diagnose))
	h.mux.HandleFunc("POST "+wire.PathBundle, h.serve(h.bundle))
	h.mux.HandleFunc("GET "+wire.PathLogs, h.serve(h.tail))
	return h
}

// Serves reports whether a request is one of the handler's.
func (h *Handler) Serves(r *http.Request) bool {
	_, pattern := h.mux.Handler(r)
	return pattern != ""
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// run is one run of support.
type run struct {
	request    *http.Request
	answer     *answer
	action     string
	connection string
}

// lines reports whether the relay wants to hear of each result as it comes.
func (x *run) lines() bool { return x.request.Header.Get("Accept") == wire.NDJSON }

func (x *run) tell() Tell {
	if !x.lines() {
		return nil
	}
	return func(_, _ int, r check.Result) { x.answer.line(check.Line{Step: &r}) }
}

// report ends the answer.
func (x *run) report(r check.Report) error {
	if x.lines() {
		x.answer.line(check.Line{End: &r})
		return nil
	}
	return x.answer.json(r)
}

// serve does a run, keeps it and answers its failure.
func (h *Handler) serve(do func(context.Context, *run) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		x := &run{request: r, answer: &answer{ResponseWriter: w}}
		err := guard(func() error { return do(r.Context(), x) })
		h.keep(x, start, err)
		if err == nil {
			return
		}
		if x.answer.begun {
			panic(http.ErrAbortHandler) // a cut answer must not look like a whole one
		}
		problem := fault.From(err, fault.HopAgent).Clone()
		problem.RequestID, problem.ConnectionID = r.Header.Get(wire.HeaderRequestID), x.connection
		problem.Write(w)
	}
}

// keep puts the run into the agent's log and into its record.
func (h *Handler) keep(x *run, start time.Time, err error) {
	row := state.SupportRun{
		At: start, Actor: actor(x.request), Action: x.action, Connection: x.connection,
		RequestID: x.request.Header.Get(wire.HeaderRequestID), Result: "OK", Took: time.Since(start),
	}
	if err != nil {
		row.Result = string(fault.From(err, fault.HopAgent).Code)
	}
	ctx := context.WithoutCancel(x.request.Context())
	h.Logger.InfoContext(ctx, "run of support", "action", row.Action, "connection", row.Connection, "actor", row.Actor,
		"request_id", row.RequestID, "result", row.Result, "ms", row.Took.Milliseconds(), "error", err)
	if err := h.Record.AddSupportRun(ctx, row); err != nil {
		h.Logger.WarnContext(ctx, "run of support not kept", "request_id", row.RequestID, "error", err)
	}
}

// diagnose runs the doctor.
func (h *Handler) diagnose(ctx context.Context, x *run) error {
	x.action = "diagnose"
	var wish wire.Diagnose
	if err := json.NewDecoder(io.LimitReader(x.request.Body, maxRequest)).Decode(&wish); err != nil {
		return fault.New(fault.InvalidRequest, "The agent cannot read the relay's request.").At(fault.HopRelay).Because(err)
	}
	switch wish.Scope {
	case wire.ScopeConnection:
		x.connection = wish.Connection
		return h.diagnoseConnection(ctx, x)
	case wire.ScopeAgent:
		return h.diagnoseAgent(ctx, x, wish.Deep)
	}
	return fault.New(fault.InvalidRequest, "The agent knows no such scope.").At(fault.HopRelay).Advise("Update the agent.")
}

func (h *Handler) diagnoseConnection(ctx context.Context, x *run) error {
	leave, err := h.connections.enter(x.connection)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, wire.Budget(x.request.Header, connectionIn))
	defer cancel()
	report, err := h.Doctor.DiagnoseConnection(ctx, x.connection, x.tell())
	if err != nil {
		return err
	}
	return x.report(report)
}

func (h *Handler) diagnoseAgent(ctx context.Context, x *run, deep bool) error {
	limit := agentIn
	if deep {
		limit = deepIn
	}
	ctx, done, err := h.admit(ctx, &h.agents, limit)
	if err != nil {
		return err
	}
	defer done()
	report := h.Doctor.DiagnoseAgent(ctx, deep, x.tell())
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return x.report(report)
}

func (h *Handler) bundle(ctx context.Context, x *run) error {
	x.action = "bundle"
	ctx, done, err := h.admit(ctx, &h.agents, bundleIn)
	if err != nil {
		return err
	}
	defer done()
	if h.Bundle == nil {
		return missing("support bundle")
	}
	return h.ended(ctx, h.Bundle.WriteBundle(ctx, x.answer.stream(ctx, "application/octet-stream", maxBundle)))
}

func (h *Handler) tail(ctx context.Context, x *run) error {
	x.action = "logs"
	query := x.request.URL.Query()
	lines, err := strconv.Atoi(query.Get("lines"))
	if err != nil || lines < 0 || lines > maxLines {
		return fault.New(fault.InvalidRequest, "The number of lines is not as it should be.").Member("lines", "INVALID", "a number from 0 to %d", maxLines)
	}
	ctx, done, err := h.admit(ctx, &h.logs, logsIn)
	if err != nil {
		return err
	}
	defer done()
	if h.Logs == nil {
		return missing("log file")
	}
	out := x.answer.stream(ctx, "text/plain; charset=utf-8", maxLogs)
	return h.ended(ctx, h.Logs.TailLogs(ctx, out, lines, query.Get("follow") == "true"))
}

// ended gives the reason for which a run was cut, where it was; the end of its time is an end like any other.
func (h *Handler) ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func missing(what string) error {
	return fault.New(fault.NotFound, "This agent has no %s.", what).At(fault.HopAgent).Reaches(fault.ScopeSite)
}

// admit asks for the consent, takes a place and bounds the run's time.
func (h *Handler) admit(ctx context.Context, p *pace, limit time.Duration) (context.Context, func(), error) {
	ctx, release, err := h.Consent.Admit(ctx)
	if err != nil {
		return ctx, nil, err
	}
	leave, err := p.enter()
	if err != nil {
		release()
		return ctx, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	return ctx, func() { cancel(); leave(); release() }, nil
}

// actor is who asks, as the relay says: bounded, and fit for a log line.
func actor(r *http.Request) string {
	name := []byte(r.Header.Get(wire.HeaderActor))
	name = name[:min(len(name), 200)]
	for i, c := range name {
		if c < 0x20 || c > 0x7e {
			name[i] = '?'
		}
	}
	return string(name)
}

// guard makes a panic one failed run.
func guard(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fault.New(fault.Internal, "The agent failed during the run.").At(fault.HopAgent).Because(fmt.Errorf("panic: %v\n%s", value, debug.Stack()))
		}
	}()
	return do()
}
