package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/agent/control"
)

// start runs an agent; stop waits for its end.
func start(t *testing.T, a *Agent) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(cancel)
	return func() error {
		cancel()
		return <-ended
	}
}

// awaitState asks over the control socket until the state is the one that is waited for.
func awaitState(t *testing.T, c *control.Client, want control.State) {
	t.Helper()
	eventually(t, string(want), func() bool {
		s, err := c.Status(t.Context())
		return err == nil && s.State == want
	})
}

// TestAServiceTakesUpALaterEnrolment runs an agent that is not enrolled, enrols it over its control socket, and lets it
// forget again.
func TestAServiceTakesUpALaterEnrolment(t *testing.T) {
	r, c, o := newRelay(t), config(t), quiet()
	o.AwaitEnrolment, o.RuntimeDir = true, c.StateDir
	a, err := New(c, o)
	fatal(t, err)
	stop := start(t, a)
	client := control.NewClient(c.StateDir)
	awaitState(t, client, control.NotEnrolled)
	eventually(t, "it says that it waits", func() bool {
		text, err := a.Sentence(t.Context())
		return err == nil && strings.HasPrefix(text, "Not enrolled")
	})

	enrolled, err := client.Enrol(t.Context(), r.token(), false)
	if err != nil || enrolled.Agent != "agt_1" || enrolled.SealingKey == "" {
		t.Fatalf("got %+v, %v", enrolled, err)
	}
	awaitState(t, client, control.Connected)
	awaitState(t, control.NewStatusClient(c.StateDir), control.Connected)
	eventually(t, "a sentence", func() bool {
		text, err := a.Sentence(t.Context())
		return err == nil && text == "Connected to "+r.server.URL+", 2 of 2 sessions"
	})
	if _, err := client.Enrol(t.Context(), r.token(), false); !errors.Is(err, control.ErrEnrolled) {
		t.Errorf("a second time: %v", err)
	}

	fatal(t, client.Unenrol(t.Context()))
	awaitState(t, client, control.NotEnrolled)
	eventually(t, "the sessions end", func() bool { return len(r.live()) == 0 })
	fatal(t, stop())
}

// TestAMendedConfigurationIsTaken starts an agent whose file was faulty, and mends the file.
func TestAMendedConfigurationIsTaken(t *testing.T) {
	c, o := config(t), quiet()
	o.AwaitEnrolment, o.Problem, o.ConfigFile = true, "agent.yaml:1: sesions: unknown key", filepath.Join(c.StateDir, "agent.yaml")
	write := func(text string) { fatal(t, os.WriteFile(o.ConfigFile, []byte(text), 0o600)) }
	write("sesions: 2\n")
	a, err := New(c, o)
	fatal(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(t.Context()) }()
	client := control.NewClient(c.StateDir)
	awaitState(t, client, control.NotEnrolled)
	if s, err := client.Status(t.Context()); err != nil || !s.RefusesAll {
		t.Errorf("it does not say that it refuses every call: %+v, %v", s, err)
	}
	eventually(t, "it says what is faulty", func() bool {
		text, err := a.Sentence(t.Context())
		return err == nil && strings.Contains(text, "sesions: unknown key")
	})
	if _, err := client.Reload(t.Context()); err == nil {
		t.Error("a faulty file was taken")
	}
	write("sessions: 2\n")
	if _, err := client.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrMended) {
		t.Errorf("it ends with %v", err)
	}
}
