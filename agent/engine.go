package agent

import (
	"context"
	"sync"

	"gantry/agent/calls"
	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/engine"
	"gantry/tunnel/fault"
)

// programs are the definitions in their compiled form, each made when it is first needed.
type programs struct {
	drivers []connectors.Driver
	mu      sync.Mutex
	ready   map[*definition.Definition]func() (*definition.Program, error)
}

// of compiles a definition once. No other definition waits for it.
func (p *programs) of(d *definition.Definition) (*definition.Program, error) {
	p.mu.Lock()
	compile, known := p.ready[d]
	if !known {
		compile = sync.OnceValues(func() (*definition.Program, error) { return definition.Compile(d, p.drivers) })
		p.ready[d] = compile
	}
	p.mu.Unlock()
	program, err := compile()
	if err != nil {
		return nil, fault.New(fault.Internal, "The definition of the system %s is faulty.", d.Metadata.ID).At(fault.HopAgent).Reaches(fault.ScopeConnection).
			Because(err).Advise("See the agent's log for the file and line, or run `gantry-agent connectors show %s`.", d.Metadata.ID)
	}
	return program, nil
}

// opener logs in with the drivers, through the agent's one dialer and the policy's paths.
func (a *Agent) opener(cursorKey []byte, dial connectors.DialFunc) calls.Opener {
	compiled := &programs{drivers: a.opts.Drivers, ready: make(map[*definition.Definition]func() (*definition.Program, error))}
	return func(ctx context.Context, login calls.Login) (calls.Engine, error) {
		program, err := compiled.of(login.Definition)
		if err != nil {
			return nil, err
		}
		settings, credentials, err := login.Definition.Login.Split(login.Settings, login.Credentials)
		if err != nil {
			return nil, err
		}
		e, err := engine.Open(ctx, program, engine.Options{
			Connection: login.Connection.ID, CursorKey: cursorKey, Settings: settings, Credentials: credentials, Dial: dial,
			OpenPath: func(path string) (string, error) { return a.policy.Current().Path(path) },
			Logger:   a.logger.With("connection", login.Connection.ID, "system", login.Connection.System),
		})
		if err != nil {
			return nil, err
		}
		return e, nil
	}
}
