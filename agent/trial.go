package agent

import (
	"context"
	"crypto/rand"
	"encoding/json"

	"gantry/agent/calls"
	"gantry/agent/dial"
	"gantry/agent/health"
	"gantry/agent/policy"
	"gantry/configs"
	"gantry/connectors"
	"gantry/connectors/definition"
)

// trialConnection is the id and name of the connection that a trial stands for, to the policy and in logs.
const trialConnection = "trial"

// Trial opens a system outside of any connection: for the author of its definition, on the machine where the agent runs or
// will run. The plant's policy judges every target and path as it does for connections; nothing is kept.
func Trial(ctx context.Context, config configs.Agent, opts Options, d *definition.Definition, settings map[string]any, credentials map[string]string) (calls.Engine, error) {
	a, err := New(config, opts)
	if err != nil {
		return nil, err
	}
	login := calls.Login{
		Connection: policy.Connection{ID: trialConnection, Name: trialConnection, System: d.Metadata.ID},
		Definition: a.systems.Load().Lookup(d.Metadata.ID),
	}
	if login.Settings, err = json.Marshal(settings); err != nil {
		return nil, err
	}
	if login.Credentials, err = json.Marshal(credentials); err != nil {
		return nil, err
	}
	return a.opener([]byte(rand.Text()), health.New(a.logger), a.dialer().Dial)(ctx, login)
}

// FirstRow runs a statement that an author wrote, in the same way, and gives its first row; nil: it has none.
func FirstRow(ctx context.Context, config configs.Agent, opts Options, d *definition.Definition, settings map[string]any, credentials map[string]string, statement map[string]any) (connectors.Row, error) {
	a, err := New(config, opts)
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	hidden, err := json.Marshal(credentials)
	if err != nil {
		return nil, err
	}
	target := connectors.Target{Dialect: d.Dialect, Dial: a.dialer().Dial, OpenPath: a.openPath, Logger: a.logger}
	if target.Settings, target.Credentials, err = d.Login.Split(plain, hidden); err != nil {
		return nil, err
	}
	systems := a.systems.Load()
	driver := systems.Program(systems.Lookup(d.Metadata.ID)).Driver
	s, err := driver.Compile(d.Dialect, statement)
	if err != nil {
		return nil, err
	}
	conn, err := driver.Open(ctx, target)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // it was only read
	for row, err := range conn.Read(ctx, connectors.Read{Statement: s, Limit: 1}) {
		return row, err
	}
	return nil, nil
}

// dialer is the one door to the plant's network.
func (a *Agent) dialer() *dial.Dialer {
	return &dial.Dialer{Policy: func() dial.Policy { return a.policy.Current() }, Logger: a.logger}
}

// openPath is the one door to the plant's files.
func (a *Agent) openPath(path string) (string, error) { return a.policy.Current().Path(path) }
