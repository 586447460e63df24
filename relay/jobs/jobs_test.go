package jobs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// look is the job of these tests.
type look struct {
	At string `json:"at"`
}

func (look) Kind() string { return "look" }

// ceiling is how long a test waits before it gives up.
const ceiling = 15 * time.Second

// opened opens a queue whose log can be read after it has stopped.
func opened(t *testing.T, dir string) (*Jobs, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	j, err := Open(t.Context(), dir, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(j.Stop(context.Background()), j.Close()); err != nil {
			t.Error(err)
		}
	})
	return j, &log
}

func start(t *testing.T, j *Jobs, sweeps []Sweep, work func(context.Context, look) error) {
	t.Helper()
	if err := j.Start(t.Context(), []Task{On(4, time.Minute, work)}, sweeps); err != nil {
		t.Fatal(err)
	}
}

// receive waits for a value.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(ceiling):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestWakeUpDuringARunRunsAgain(t *testing.T) {
	j, _ := opened(t, t.TempDir())
	began, goOn := make(chan string), make(chan struct{})
	var running sync.Map
	start(t, j, nil, func(_ context.Context, l look) error {
		if _, twice := running.LoadOrStore(l.At, true); twice {
			t.Error("two of a kind ran at a time")
		}
		defer running.Delete(l.At)
		began <- l.At
		<-goOn
		return nil
	})
	j.Enqueue(t.Context(), look{"a"})
	receive(t, began)
	for range 5 { // all of them are one more run
		j.Enqueue(t.Context(), look{"a"})
	}
	j.Enqueue(t.Context(), look{"b"})
	if at := receive(t, began); at != "b" {
		t.Fatalf("%q ran beside its like", at)
	}
	goOn <- struct{}{}
	goOn <- struct{}{}
	if at := receive(t, began); at != "a" {
		t.Fatalf("%q ran, wanted a once more", at)
	}
	goOn <- struct{}{}
}

func TestFailureIsOneLine(t *testing.T) {
	j, log := opened(t, t.TempDir())
	ran := make(chan struct{}, 3)
	start(t, j, nil, func(_ context.Context, l look) error {
		defer func() { ran <- struct{}{} }()
		switch l.At {
		case "error":
			return errors.New("the well is dry")
		case "panic":
			panic("the bucket broke")
		}
		return nil
	})
	for _, at := range []string{"error", "panic", "fine"} {
		j.Enqueue(t.Context(), look{at})
		receive(t, ran)
	}
	if err := j.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"the well is dry", "the bucket broke"} {
		if n := strings.Count(log.String(), what); n != 1 {
			t.Errorf("%q is logged %d times:\n%s", what, n, log)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines, wanted 2:\n%s", n, log)
	}
}

func TestStopLetsFinishThenCuts(t *testing.T) {
	j, _ := opened(t, t.TempDir())
	began, ended := make(chan struct{}, 2), make(chan string, 2)
	start(t, j, nil, func(ctx context.Context, l look) error {
		began <- struct{}{}
		<-j.Stopping()
		if l.At == "deaf" {
			<-ctx.Done()
		}
		ended <- l.At
		return ctx.Err()
	})
	for _, at := range []string{"deaf", "swift"} {
		j.Enqueue(t.Context(), look{at})
		receive(t, began)
	}
	drain, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- j.Stop(drain) }()
	if at := receive(t, ended); at != "swift" {
		t.Fatalf("%q ended first", at)
	}
	cancel()
	if err := receive(t, stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, wanted to hear that a job was cut", err)
	}
	if at := receive(t, ended); at != "deaf" {
		t.Errorf("%q ended second", at)
	}
	j.Enqueue(t.Context(), look{"late"}) // nothing takes it; it must not fail
}

// copied copies the queue as a process that is killed now would leave it.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(dir, File) + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, File)+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func TestKilledJobRunsAgainAtOnce(t *testing.T) {
	dir := t.TempDir()
	j, _ := opened(t, dir)
	began, goOn := make(chan struct{}), make(chan struct{})
	start(t, j, nil, func(context.Context, look) error { began <- struct{}{}; <-goOn; return nil })
	j.Enqueue(t.Context(), look{"a"})
	receive(t, began)
	crashed := copied(t, dir)
	close(goOn)

	again, _ := opened(t, crashed)
	ran := make(chan string)
	start(t, again, nil, func(_ context.Context, l look) error { ran <- l.At; return nil })
	if at := receive(t, ran); at != "a" {
		t.Errorf("%q ran", at)
	}
}

func TestLostOrDamagedFileCostsNothing(t *testing.T) {
	for name, content := range map[string]string{"lost": "", "damaged": strings.Repeat("no database ", 1000)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if content != "" {
				if err := os.WriteFile(filepath.Join(dir, File), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			j, log := opened(t, dir)
			if made := strings.Contains(log.String(), "made anew"); made != (content != "") {
				t.Errorf("the log says %q", log)
			}
			ran := make(chan string, 1)
			start(t, j, []Sweep{{time.Hour, look{"everywhere"}}}, func(_ context.Context, l look) error { ran <- l.At; return nil })
			if at := receive(t, ran); at != "everywhere" {
				t.Errorf("%q ran", at)
			}
		})
	}
}

func TestScheduledJobRunsInTime(t *testing.T) {
	j, _ := opened(t, t.TempDir())
	ran := make(chan time.Time, 2)
	start(t, j, nil, func(context.Context, look) error { ran <- time.Now(); return nil })
	due := time.Now().Add(time.Second)
	j.EnqueueAt(t.Context(), look{"later"}, due.Add(time.Hour))
	j.EnqueueAt(t.Context(), look{"later"}, due) // wanted earlier
	if at := receive(t, ran); at.Before(due) {
		t.Errorf("ran %v early", due.Sub(at))
	}
}
