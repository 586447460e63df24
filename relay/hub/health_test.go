package hub_test

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
)

// ear notes what it is told.
type ear struct {
	mu    sync.Mutex
	heard []string
}

func (e *ear) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, fmt.Sprintf(format, args...))
}

func (e *ear) take() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.heard = nil }()
	return strings.Join(e.heard, "; ")
}

// Holds implements hub.Listener.
func (e *ear) Holds(agentID string, all []wire.Health, _ time.Time) {
	var ids []string
	for _, h := range all {
		ids = append(ids, h.Connection)
	}
	slices.Sort(ids)
	e.note("%s holds %v", agentID, ids)
}

// Told implements hub.Listener.
func (e *ear) Told(agentID string, h wire.Health) { e.note("%s tells of %s", agentID, h.Connection) }

// TestAnAgentThatTellsTooMuch is read at a pace.
func TestAnAgentThatTellsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := &ear{}
		h := hub.New(hub.Options{Register: &register{}, Directory: &hub.Memory{}, Node: "self", Logger: slog.New(slog.DiscardHandler), Listener: listener})
		defer h.Close(t.Context())
		s := newSession("m1", "i1", hub.Calls)
		reader, writer := io.Pipe()
		s.health = reader
		h.Join(s)
		begin := time.Now()
		if _, err := io.WriteString(writer, "{}\n"+strings.Repeat("{\"connection\":\"con_1\"}\n", 5_000)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if took := time.Since(begin); took < 8*time.Second || took > 12*time.Second {
			t.Errorf("5,000 news were read in %s", took)
		}
	})
}

// TestHealthIsHeard follows the stream of an agent with two sessions: it is asked for on one of them, and again on the
// other when that one takes no more calls, breaks off or falls silent.
func TestHealthIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := &ear{}
		h := hub.New(hub.Options{Register: &register{}, Directory: &hub.Memory{}, Node: "self", Logger: slog.New(slog.DiscardHandler), Listener: listener})
		defer h.Close(t.Context())
		join := func() (*session, *io.PipeWriter) {
			s := newSession("m1", "i1", hub.Calls)
			reader, writer := io.Pipe()
			s.health = reader
			h.Join(s)
			synctest.Wait()
			return s, writer
		}
		first, tell := join()
		second, tellAgain := join()
		if first.seen(wire.PathHealth) != 1 || second.seen(wire.PathHealth) != 0 {
			t.Fatal("an agent is asked once")
		}
		say := func(w *io.PipeWriter, lines string, want string) {
			t.Helper()
			if _, err := io.WriteString(w, lines); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := listener.take(); got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		}
		say(tell, "{\"connection\":\"con_1\"}\n{\"connection\":\"con_2\"}\n", "")
		say(tell, "{}\n", "agt_1 holds [con_1 con_2]")
		say(tell, "{\"connection\":\"con_2\"}\n{}\n", "agt_1 tells of con_2")

		close(first.retire)
		first.Close("drained")
		time.Sleep(time.Second)
		say(tellAgain, "{}\n", "agt_1 holds []")
		time.Sleep(wire.HealthBeat)
		say(tellAgain, "{}\n{\"connection\":\"con_1\"}\n", "agt_1 tells of con_1")

		third, tellLast := join()
		asked := second.seen(wire.PathHealth)
		time.Sleep(4 * wire.HealthBeat) // the stream of the second says nothing any more
		if second.seen(wire.PathHealth) == asked {
			t.Error("a stream that fell silent is not asked for again")
		}
		second.Close("gone")
		time.Sleep(2 * wire.HealthBeat)
		if third.seen(wire.PathHealth) == 0 {
			t.Fatal("the session that is left is not asked")
		}
		say(tellLast, "{}\n", "agt_1 holds []")
		if _, err := io.WriteString(tellLast, "no health\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := io.WriteString(tellLast, "{}\n"); err == nil {
			t.Error("a stream that breaks the protocol is read on")
		}
	})
}
