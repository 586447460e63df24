// Package engine runs a definition over a driver's connection: canonical records in and out of one plant's system.
//
// Reading, it turns a query of the API into a driver's Read, pushes down the filters that the system can compare, fetches
// children in batches, and appends each record as JSON without an intermediate form. Writing, it checks the body against
// the definition, judges the rules on the record read and locked in the same transaction, runs the steps, and says of every failure
// what became of the write. Every error is a *fault.Error.
//
// The engine never decides what the plant allows: its caller, the agent, has asked the policy before, and tells the engine
// which fields to hide. It keeps nothing: journal and secrets are the agent's.
package engine

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	_ "time/tzdata" // plants' hosts have no zone files, least of all on Windows

	"gantry/connectors"
	"gantry/connectors/definition"
)

// Options are what one connection needs beside its program.
type Options struct {
	Connection  string                       // the connection's id: cursors are bound to it
	CursorKey   []byte                       // signs cursors; at least 16 bytes, the same as long as cursors shall hold
	Settings    map[string]any               // of definition.Login.Split
	Credentials map[string]connectors.Secret // of the same
	Dial        connectors.DialFunc
	OpenPath    connectors.PathFunc
	Logger      *slog.Logger // nil: discards
}

// Engine is one open connection. It is safe for concurrent use; Close ends it.
type Engine struct {
	program    *definition.Program
	conn       connectors.Conn
	connection string
	cursorKey  []byte
	login      map[string]any // for expressions; no credential is in it
	loginVars  connectors.Vars
	tables     map[string]*table
	denials    denials
	logger     *slog.Logger
}

// Open prepares a connection. The driver may log in lazily: Check proves the login. The error is a *fault.Error.
func Open(ctx context.Context, program *definition.Program, o Options) (*Engine, error) {
	e := &Engine{
		program: program, connection: o.Connection, cursorKey: o.CursorKey, login: o.Settings, logger: o.Logger,
		loginVars: connectors.Vars{}, tables: map[string]*table{},
	}
	if e.logger == nil {
		e.logger = slog.New(slog.DiscardHandler)
	}
	if len(o.CursorKey) < minCursorKey {
		return nil, internal(errors.New("the cursor key is too short"))
	}
	for name, value := range o.Settings {
		e.loginVars["login_"+name] = value
	}
	for name, t := range program.Tables {
		table, err := newTable(ctx, t, o.Settings)
		if err != nil {
			return nil, err
		}
		e.tables[name] = table
	}
	conn, err := program.Driver.Open(ctx, e.target(o))
	if err != nil {
		return nil, e.fault(ctx, place{operation: "open"}, err)
	}
	e.conn = conn
	return e, nil
}

func (e *Engine) target(o Options) connectors.Target {
	d := e.program.Definition
	return connectors.Target{
		Dialect: d.Dialect, Settings: o.Settings, Credentials: o.Credentials, Protocol: e.program.Protocol, Check: e.program.Check,
		Limits: connectors.Limits{
			Concurrency: d.Limits.Concurrency, PageSize: d.Limits.PageSize, Timeout: d.Limits.Timeout.Std(),
		},
		Dial: o.Dial, OpenPath: o.OpenPath, Logger: e.logger,
	}
}

// Check proves that the login works.
func (e *Engine) Check(ctx context.Context) (connectors.SystemInfo, error) {
	info, err := e.conn.Check(ctx)
	if err != nil {
		return info, e.fault(ctx, place{operation: "check"}, err)
	}
	if err := e.probe(ctx); err != nil { // the login works; that the system does not tell more is no fault of it
		e.logger.WarnContext(ctx, "the system does not tell what the login may do", "error", err)
	}
	return info, nil
}

// Close ends the connection; calls in flight fail.
func (e *Engine) Close() error { return e.conn.Close() }

// vars starts the parameters of a statement: the settings are always there.
func (e *Engine) vars() connectors.Vars { return maps.Clone(e.loginVars) }
