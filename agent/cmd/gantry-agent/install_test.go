package main

import (
	"errors"
	"testing"
	"time"

	"gantry/configs/cli"
	"gantry/installer"
)

func TestSameRelay(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"https://relay.example.com", "https://relay.example.com/", true},
		{"wss://Relay.example.com", "https://relay.example.com", true},
		{"ws://localhost:8480", "http://localhost:8480", true},
		{"https://relay.example.com", "http://relay.example.com", false},
		{"https://relay.example.com", "https://relay.example.com.evil.example", false},
	} {
		if got := sameRelay(tt.a, tt.b); got != tt.same {
			t.Errorf("%s and %s: got %t", tt.a, tt.b, got)
		}
	}
}

// TestAFailedStepSaysWhatItLeft checks the exit code, which is that of the cause, and the advice.
func TestAFailedStepSaysWhatItLeft(t *testing.T) {
	step := installer.Step{Name: "connect", Line: "wait"}
	clean := classify(&installer.StepError{Step: step, Err: cli.Fail(cli.ExitNetwork, "Look at the proxy.", "no session")})
	if clean.Code != cli.ExitNetwork || clean.Fix != "Look at the proxy.\nEvery step was taken back: the machine is as it was." {
		t.Errorf("got %+v", clean)
	}
	left := classify(&installer.StepError{Step: step, Err: errors.New("no"), Left: []error{errors.New("undo: busy")}})
	if left.Code != cli.ExitFailed || left.Err.Error() != "wait: no\nundo: busy" {
		t.Errorf("got %+v", left)
	}
	for err, want := range map[error]int{
		installer.ErrNotInstalled: cli.ExitNotSetUp, installer.ErrElevation: cli.ExitElevation,
		&installer.Conflict{What: "another", Fix: "Move it."}: cli.ExitConflict,
	} {
		if got := classify(err); got == nil || got.Code != want || got.Fix == "" {
			t.Errorf("%v: got %+v, want %d", err, got, want)
		}
	}
}

func TestServiceLine(t *testing.T) {
	now := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		state installer.State
		want  string
	}{
		{installer.State{}, "not installed"},
		{installer.State{Installed: true, Enabled: true, Phase: "active", Since: now.Add(-3 * time.Hour), Restarts: 1}, "active for 3h 0m, starts with the machine, 1 restart"},
		{installer.State{Installed: true, Phase: "failed", LastExit: "exit-code, exit code 203"}, "failed (exit-code, exit code 203), does NOT start with the machine"},
	} {
		if got := serviceLine(tt.state, now); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
