package agent

import (
	"context"
	"time"

	"gantry/agent/calls"
	"gantry/agent/health"
	"gantry/connectors"
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
