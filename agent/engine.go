package agent

import (
	"context"
	"time"

	"gantry/agent/calls"
	"gantry/agent/health"
	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/engine"
	"gantry/tunnel/fault"
)

// opener logs in with the drivers, through the agent's one dialer, which the connection's circuit guards, and the policy's
// paths.
func (a *Agent) opener(cursorKey []byte, book *health.Book, dial connectors.DialFunc) calls.Opener {
	return func(ctx context.Context, login calls.Login) (calls.Engine, error) {
		settings, credentials, err := login.Definition.Login.Split(login.Settings, login.Credentials)
		if err != nil {
			return nil, err
		}
		program := a.systems.Load().Program(login.Definition)
		if program == nil { // it was replaced a moment ago
			return nil, fault.New(fault.Conflict, "The system's definition is being replaced.").At(fault.HopAgent).Reaches(fault.ScopeConnection).
				Ended(fault.NotSent).After(time.Second)
		}
		program = a.overlaid(ctx, program, login)
		e, err := engine.Open(ctx, program, engine.Options{
			Connection: login.Connection.ID, CursorKey: cursorKey, Settings: settings, Credentials: credentials,
			Dial:     book.Dial(login.Connection.ID, dial),
			OpenPath: a.openPath,
			Logger:   a.logger.With("connection", login.Connection.ID, "system", login.Connection.System),
		})
		if err != nil {
			return nil, err
		}
		return e, nil
	}
}

// overlaid lays a connection's overlay over its program. One that no longer fits, since the definition changed, keeps no call from being
// made: GET /connections/{id}/overlay tells why it is not in force.
func (a *Agent) overlaid(ctx context.Context, program *definition.Program, login calls.Login) *definition.Program {
	if len(login.Overlay.Entities) == 0 {
		return program
	}
	extended, err := program.Over(login.Overlay)
	if err != nil {
		a.logger.WarnContext(ctx, "overlay does not fit the definition, and is not in force", "connection", login.Connection.ID, "error", err)
		return program
	}
	return extended
}
