package agent

import (
	"context"
	"fmt"
	"io"

	"gantry/agent/bundle/proof"
	"gantry/agent/control"
	"gantry/agent/logs"
	"gantry/agent/support"
)

var (
	_ support.Bundler = (*Agent)(nil)
	_ support.Logs    = (*Agent)(nil)
)

// WriteBundle implements support.Bundler.
func (a *Agent) WriteBundle(ctx context.Context, w io.Writer) error {
	return a.Bundle(ctx, w, control.BundleRequest{})
}

// TailLogs implements support.Logs. What leaves the plant is redacted as in a bundle, line by line; where the secrets cannot be known
// no line leaves.
func (a *Agent) TailLogs(ctx context.Context, w io.Writer, lines int, follow bool) error {
	secrets, err := a.secrets(ctx)
	if err != nil {
		return fmt.Errorf("show log: the agent's secrets cannot be known, so none can be hidden: %w", err)
	}
	scanner := proof.New(secrets)
	_, err = logs.Tail(ctx, a.Places(), logs.Options{Last: lines, Follow: follow}, func(l logs.Line) error {
		clean, _ := scanner.Redact(proof.Habitual([]byte(l.Text)))
		_, err := w.Write(append(clean, '\n'))
		return err
	})
	return err
}
