package conformance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// soon is a generous ceiling for what should take a moment.
const soon = 15 * time.Second

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !holds() {
		if time.Since(began) > soon {
			t.Errorf("%s: not within %s", what, soon)
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(began)
}

// leavesNothing checks that a test leaves no goroutine behind.
func leavesNothing(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	})
}

func testCancel(t *testing.T, s Suite) {
	target := s.Target(t)
	leavesNothing(t)
	conn := s.connect(t, target)
	slow := s.statement(t, s.Steps.Slow)
	calls := map[string]func(context.Context) error{
		"read": func(ctx context.Context) error {
			_, err := collect(conn.Read(ctx, connectors.Read{Statement: slow}))
			return err
		},
		"page": func(ctx context.Context) error {
			_, err := collect(conn.Read(ctx, connectors.Read{Statement: slow, Limit: 1}))
			return err
		},
	}
	effect := s.Steps.SlowWrite
	if effect == nil && s.Steps.Rename != nil {
		effect = s.Steps.Slow
	}
	if effect != nil {
		calls["unit of work"] = func(ctx context.Context) error {
			tx := begin(t, conn, false)
			defer tx.Rollback()
			_, err := tx.Exec(ctx, s.statement(t, effect), nil)
			return err
		}
	}
	for name, read := range calls {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- read(ctx) }()
			if s.Running != nil {
				eventually(t, "the statement runs", func() bool { return s.Running(t) > 0 })
			} else {
				time.Sleep(100 * time.Millisecond)
			}
			cancel()
			began := time.Now()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, expected the context's error", err)
			}
			t.Logf("the call ended after %s", time.Since(began))
			if s.Running != nil {
				t.Logf("the statement ended at the system after %s more", eventually(t, "the statement ends at the system", func() bool { return s.Running(t) == 0 }))
			}
			if _, err := conn.Check(t.Context()); err != nil {
				t.Errorf("the connection is not usable any more: %v", err)
			}
		})
	}
}

func testCancelStream(t *testing.T, s Suite) {
	target := s.Target(t)
	leavesNothing(t)
	conn := s.connect(t, target)
	ctx, cancel := context.WithCancel(t.Context())
	count, last := 0, error(nil)
	for _, err := range conn.Read(ctx, connectors.Read{Statement: s.statement(t, s.Steps.Many)}) {
		if last = err; err != nil {
			break
		}
		if count++; count == 100 {
			cancel()
		}
	}
	cancel()
	if !errors.Is(last, context.Canceled) || count > 900_000 {
		t.Errorf("%d rows, then %v", count, last)
	}
}

func testTimeout(t *testing.T, s Suite) {
	target := s.Target(t)
	target.Limits.Timeout = 2 * time.Second
	conn := s.connect(t, target)
	_, err := collect(conn.Read(t.Context(), connectors.Read{Statement: s.statement(t, s.Steps.Slow)}))
	wantKind(t, "slow statement", err, connectors.TimedOut)
	// The consumer's own time is not the system's.
	for _, err := range conn.Read(t.Context(), connectors.Read{Statement: s.statement(t, s.Steps.All), Limit: 2}) {
		if err != nil {
			t.Errorf("a slow consumer was cut off: %v", err)
		}
		time.Sleep(target.Limits.Timeout + 200*time.Millisecond)
	}
}

func testClose(t *testing.T, s Suite) {
	target := s.Target(t)
	leavesNothing(t)
	conn := s.connect(t, target)
	ended := make(chan error, 1)
	go func() {
		_, err := collect(conn.Read(context.Background(), connectors.Read{Statement: s.statement(t, s.Steps.Slow)}))
		ended <- err
	}()
	time.Sleep(300 * time.Millisecond)
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-ended:
		wantKind(t, "closed", err, connectors.Lost)
	case <-time.After(soon):
		t.Fatal("a call survives the connection")
	}
	if _, err := conn.Check(t.Context()); err == nil {
		t.Error("a closed connection still works")
	}
}

func testRefused(t *testing.T, s Suite) {
	target := s.Target(t)
	const secret = "wr0ng-s3cret"
	target.Credentials = map[string]connectors.Secret{"password": connectors.NewSecret(secret)}
	s.Refuse(&target)
	_, err := s.connect(t, target).Check(t.Context())
	f := wantKind(t, "refused login", err, connectors.Answered)
	if strings.Contains(fmt.Sprintf("%+v %v %v", f.Source, f, f.Err), secret) {
		t.Error("the failure shows the password")
	}
}

func testUnreachable(t *testing.T, s Suite) {
	target := s.Target(t)
	target.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to host")}
	}
	_, err := s.connect(t, target).Check(t.Context())
	wantKind(t, "unreachable", err, connectors.Unreachable)
}

func testPolicy(t *testing.T, s Suite) {
	target := s.Target(t)
	refusal := fault.New(fault.PolicyDenied, "not allowed")
	target.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, refusal }
	target.OpenPath = func(string) (string, error) { return "", refusal }
	conn, err := s.Driver.Open(t.Context(), target)
	if err == nil {
		defer conn.Close()
		_, err = conn.Check(t.Context())
	}
	if !fault.Is(err, fault.PolicyDenied) {
		t.Errorf("got %v, expected the policy's own refusal", err)
	}
}
