package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows/svc"
)

// manage runs a service as the manager does, and gives what it told until it ended.
func manage(t *testing.T, s *managedService, requests ...svc.Cmd) (told []svc.State, code uint32) {
	t.Helper()
	asks, answers := make(chan svc.ChangeRequest), make(chan svc.Status, 100)
	ended := make(chan uint32, 1)
	go func() {
		_, code := s.Execute(nil, asks, answers)
		ended <- code
	}()
	for _, r := range requests {
		select {
		case asks <- svc.ChangeRequest{Cmd: r}:
		case <-time.After(20 * time.Second):
			t.Fatalf("the service does not take %v", r)
		}
	}
	select {
	case code = <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the service does not end")
	}
	close(answers)
	for a := range answers {
		told = append(told, a.State)
	}
	return told, code
}

func TestManagerStopsTheService(t *testing.T) {
	s := &managedService{ctx: t.Context(), prepare: func() {}, live: func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(2500 * time.Millisecond) // calls under way
		return nil
	}}
	told, code := manage(t, s, svc.Interrogate, svc.Stop)
	if code != 0 || told[0] != svc.StartPending || told[1] != svc.Running {
		t.Errorf("got %v, exit code %d", told, code)
	}
	pending := 0
	for _, state := range told {
		if state == svc.StopPending {
			pending++
		}
	}
	if pending < 3 {
		t.Errorf("the manager heard of the stop %d times in 2.5 s", pending)
	}
}

func TestManagerLearnsOfAFailure(t *testing.T) {
	broken := errors.New("broken")
	s := &managedService{ctx: t.Context(), prepare: func() {}, live: func(context.Context) error { return broken }}
	if _, code := manage(t, s); code == 0 || !errors.Is(s.err, broken) {
		t.Errorf("exit code %d, %v", code, s.err)
	}
}

func TestEventLogGetsEachRecordOnce(t *testing.T) {
	var warnings, errs []string
	keep := func(lines *[]string) func(uint32, string) error {
		return func(_ uint32, line string) error { *lines = append(*lines, line); return nil }
	}
	logger := slog.New(reporting(keep(&warnings), keep(&errs))).With("agent", "agt_1")
	logger.Info("not this")
	logger.Warn("a warning", "n", 1)
	logger.WithGroup("g").Error("an error", "text", "a\x00b")
	if len(warnings) != 1 || warnings[0] != `msg="a warning" agent=agt_1 n=1` {
		t.Errorf("warnings: %q", warnings)
	}
	if len(errs) != 1 || !strings.HasPrefix(errs[0], `msg="an error" agent=agt_1 g.text=`) || strings.Contains(errs[0], "\x00") {
		t.Errorf("errors: %q", errs)
	}
}
