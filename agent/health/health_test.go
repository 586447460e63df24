package health

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

var (
	items   = Place{"items", "list"}
	vendors = Place{"vendors", "list"}
)

// bench is one connection, and what was logged of it.
type bench struct {
	t    *testing.T
	book *Book
	c    *Connection
	log  bytes.Buffer
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t}
	b.book = New(slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	b.c = b.book.Connection("con_1")
	return b
}

// call makes a call that ends so after some time; it gives what Admit said.
func (b *bench) call(p Place, took time.Duration, end error) error {
	permit, err := b.c.Admit(p, "req_1")
	if err != nil {
		return err
	}
	time.Sleep(took)
	permit.Ended(end)
	return nil
}

// held expects that a call is held back with the code, and gives how long.
func (b *bench) held(p Place, code fault.Code) time.Duration {
	b.t.Helper()
	f := fault.From(b.call(p, 0, nil), fault.HopAgent)
	if f == nil || f.Code != code || f.Outcome != fault.NotSent {
		b.t.Fatalf("want %s, got %v", code, f)
	}
	return f.RetryAfter
}

func (b *bench) passes(p Place, end error) {
	b.t.Helper()
	if err := b.call(p, 0, end); err != nil {
		b.t.Fatalf("held back: %v", err)
	}
}

func down() error    { return fault.New(fault.SystemUnreachable, "db:5432 refused the connection.") }
func silent() error  { return fault.New(fault.SystemTimeout, "The system did not answer.") }
func refused() error { return fault.New(fault.CredentialsExpired, "The database refuses the login.") }

// TestCircuit: it opens after a few failures in a row, lets one call try after a delay that grows, and closes when that
// one succeeds.
func TestCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.passes(items, down())
		b.passes(items, down())
		b.passes(items, nil) // not in a row
		for range failuresInARow {
			b.passes(items, down())
		}
		for _, want := range []time.Duration{5, 10, 20, 20} {
			want *= time.Second
			wait := b.held(vendors, fault.CircuitOpen)
			if low, high := want*8/10, want*12/10; wait < low || wait > high {
				t.Errorf("the delay is %s, want about %s", wait, want)
			}
			time.Sleep(wait)
			permit, err := b.c.Admit(items, "req_2")
			if err != nil {
				t.Fatalf("no call may try after %s: %v", wait, err)
			}
			b.held(vendors, fault.CircuitOpen) // one tries, not two
			if got := b.c.Document(); got.Circuit.State != wire.CircuitHalfOpen {
				t.Errorf("the circuit is %s", got.Circuit.State)
			}
			permit.Ended(down())
		}
		time.Sleep(longestDelay * 12 / 10)
		b.passes(items, nil)
		b.passes(vendors, nil)
		got := b.c.Document()
		if got.Circuit.State != wire.CircuitClosed || got.System.State != wire.SystemReachable {
			t.Errorf("not healed: %+v", got)
		}
		if opened, closed := strings.Count(b.log.String(), `msg="circuit opened"`), strings.Count(b.log.String(), `msg="circuit closed"`); opened != 5 || closed != 1 {
			t.Errorf("%d openings and %d closings were logged:\n%s", opened, closed, b.log.String())
		}
	})
}

// TestWhatCounts: no mistake of a caller, no refusal of the system, no lost right and no short budget opens a circuit.
func TestWhatCounts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		end   error
		took  time.Duration
		state wire.OperationState
		opens bool
	}{
		{"a locked record", fault.New(fault.RecordLocked, "locked"), 0, wire.OperationWorking, false},
		{"no such record", fault.New(fault.NotFound, "no"), 0, wire.OperationWorking, false},
		{"a wrong value", fault.New(fault.ValidationFailed, "no"), 0, "", false},
		{"a lost right", fault.New(fault.PermissionDenied, "no"), 0, wire.OperationDenied, false},
		{"a fault of the system", fault.New(fault.SystemError, "ORA-600"), 0, wire.OperationFailing, false},
		{"a caller who went away", context.Canceled, time.Minute, "", false},
		{"a short budget", context.DeadlineExceeded, time.Second, "", false},
		{"a silent system", context.DeadlineExceeded, 30 * time.Second, wire.OperationFailing, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				for range failuresInARow {
					if err := b.call(items, tt.took, tt.end); err != nil {
						t.Fatal(err)
					}
				}
				got := b.c.Document().Entities["items"]["list"]
				if got.State != tt.state {
					t.Errorf("the operation is %s, want %s", got.State, tt.state)
				}
				if opens := b.call(items, 0, nil) != nil; opens != tt.opens {
					t.Errorf("opened: %v", opens)
				}
				if err := b.call(vendors, 0, nil); err != nil {
					t.Errorf("another operation is held back: %v", err)
				}
			})
		})
	}
}

// TestTimeoutsEverywhere: a timeout is its operation's matter, until several operations have it.
func TestTimeoutsEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for _, p := range []Place{items, vendors, {"assets", "get"}} {
			if err := b.call(p, 30*time.Second, silent()); err != nil {
				t.Fatal(err)
			}
		}
		b.held(Place{"locations", "list"}, fault.CircuitOpen)
		if got := b.c.Document(); got.System.State != wire.SystemUnreachable || got.Circuit.State != wire.CircuitOpen {
			t.Errorf("got %+v", got)
		}
	})
}

// TestMute: a call that says nothing, however it ends, opens no circuit, and takes no refused login for accepted.
func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		mute := func(end error) {
			permit, err := b.c.Admit(Place{}, "req_1")
			if err != nil {
				t.Fatal(err)
			}
			permit.Mute()
			permit.Ended(end)
		}
		for range 2 * failuresInARow {
			mute(silent())
			mute(down())
		}
		b.passes(items, refused())
		time.Sleep(firstRefusal)
		mute(nil) // the one try: it is given back
		if got := b.c.Document().Login.State; got != wire.LoginRefused {
			t.Errorf("the login is %s", got)
		}
		time.Sleep(againDelay)
		b.passes(items, nil)
		if got := b.c.Document().Login.State; got != wire.LoginAccepted {
			t.Errorf("the login is %s", got)
		}
	})
}

// TestThrottle: while the system asks for fewer calls none is made; another connection is not touched.
func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.passes(items, fault.New(fault.SystemRateLimited, "Too many calls.").After(40*time.Second))
		time.Sleep(time.Second)
		if wait := b.held(vendors, fault.SystemRateLimited); wait != 39*time.Second {
			t.Errorf("wait %s", wait)
		}
		if got := b.c.Document(); got.ThrottledForMS != 39_000 || got.Circuit.State != wire.CircuitClosed {
			t.Errorf("got %+v", got)
		}
		other := b.book.Connection("con_2")
		if _, err := other.Admit(items, "req"); err != nil {
			t.Error(err)
		}
		time.Sleep(39 * time.Second)
		b.passes(vendors, nil)
	})
}

// TestRefusedLogin: it is tried again by one call after a pause that grows, and by nobody in between.
func TestRefusedLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.passes(items, nil)
		pauses := []time.Duration{time.Minute, 4 * time.Minute, 16 * time.Minute, 30 * time.Minute, 30 * time.Minute}
		for _, pause := range pauses {
			b.passes(items, refused())
			b.held(vendors, fault.CredentialsExpired)
			time.Sleep(pause - time.Second)
			b.held(vendors, fault.CredentialsExpired)
			time.Sleep(time.Second)
		}
		permit, err := b.c.Admit(items, "req")
		if err != nil {
			t.Fatal(err)
		}
		b.held(vendors, fault.CredentialsExpired) // one tries, not two
		permit.Ended(context.Canceled)
		time.Sleep(againDelay)
		b.passes(items, nil)
		b.passes(vendors, nil)
		if got := b.c.Document(); got.Login.State != wire.LoginAccepted {
			t.Errorf("got %+v", got.Login)
		}
	})
}

// TestSharedFailures: what many calls met in one dial counts once, and an open circuit stops the dials of those that wait.
func TestSharedFailures(t *testing.T) {
	b := newBench(t)
	dials := 0
	dial := b.book.Dial("con_1", func(context.Context, string, string) (net.Conn, error) {
		dials++
		return nil, down()
	})
	var all []Permit
	for range 200 {
		permit, err := b.c.Admit(items, "req")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, permit)
	}
	for _, permit := range all {
		_, err := dial(t.Context(), "tcp", "db:5432")
		if !fault.Is(err, fault.SystemUnreachable) && !fault.Is(err, fault.CircuitOpen) {
			t.Fatal(err)
		}
		permit.Ended(err)
	}
	if dials != failuresInARow {
		t.Errorf("200 calls dialled %d times", dials)
	}
	if _, err := dial(ForPerson(t.Context()), "tcp", "db:5432"); !fault.Is(err, fault.SystemUnreachable) || dials != failuresInARow+1 {
		t.Errorf("a person's look was held back: %v", err)
	}
}

// TestNamesAreBounded: what does not exist leaves nothing behind, and what a relay makes up is bounded.
func TestNamesAreBounded(t *testing.T) {
	b := newBench(t)
	b.passes(Place{"dragons", "list"}, fault.New(fault.NotFound, "This system has no entity.").Reaches(fault.ScopeEntity))
	b.passes(Place{"dragons", "list"}, down())
	if got := b.c.Document().Entities; len(got) > 0 {
		t.Errorf("got %v", got)
	}
	for i := range 2 * maxCells {
		b.passes(Place{fmt.Sprint("dragon-", i), "list"}, nil)
	}
	if got := b.c.Document().Entities; len(got) != maxCells {
		t.Errorf("%d are remembered", len(got))
	}
}

// TestStreamThatTries: a stream closes the circuit with its first row, and not only at its end.
func TestStreamThatTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for range failuresInARow {
			b.passes(items, down())
		}
		time.Sleep(firstDelay * 12 / 10)
		stream, err := b.c.Admit(items, "req")
		if err != nil {
			t.Fatal(err)
		}
		b.held(vendors, fault.CircuitOpen)
		stream.Answered()
		b.passes(vendors, nil)
		time.Sleep(time.Hour)
		stream.Ended(down())
		b.passes(vendors, nil) // one failure, in a closed circuit
	})
}

// TestReset: the next call is made.
func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.passes(items, nil)
		for range failuresInARow {
			b.passes(items, down())
		}
		b.held(items, fault.CircuitOpen)
		b.c.Reset()
		b.passes(items, refused())
		b.held(items, fault.CredentialsExpired)
		b.c.Reset()
		b.passes(items, nil)
	})
}

// TestWanted: what fails is looked at in its time, of what works a few that were not read for long.
func TestWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		all := []Place{{"items", "list"}, {"items", "get"}, {"vendors", "list"}, {"assets", "list"}, {"assets", "create"}}
		for _, p := range all {
			b.passes(p, nil)
			time.Sleep(time.Second)
		}
		if got := b.c.Wanted(3); len(got) != 0 {
			t.Errorf("just read: %v", got)
		}
		time.Sleep(unread)
		if got := b.c.Wanted(3); !slices.Equal(got, all[:3]) {
			t.Errorf("those that were read longest ago: %v", got)
		}
		b.passes(all[0], nil)
		b.passes(all[1], fault.New(fault.PermissionDenied, "no"))
		if got := b.c.Wanted(3); !slices.Equal(got, all[2:4]) {
			t.Errorf("after two calls: %v", got)
		}
		time.Sleep(firstLook * 3 / 2)
		if got := b.c.Wanted(3); !slices.Equal(got, all[1:4]) {
			t.Errorf("when what is denied has its time: %v", got)
		}
	})
}

// TestWatch: the stream begins with everything, tells changes at most once a second, renewals with the beat, and goings.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.book.Connection("con_2")
		start := time.Now()
		var lines []string
		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- b.book.Watch(ctx, func(h wire.Health) error {
				state := string(h.Entities["items"]["list"].State)
				lines = append(lines, strings.Join([]string{time.Since(start).Round(time.Second).String(), h.Connection, state}, " "))
				return nil
			})
		}()
		synctest.Wait()
		b.passes(items, fault.New(fault.SystemError, "first"))
		synctest.Wait() // it is told at once, before the next one changes it
		for range 50 {  // in one second
			b.passes(items, nil)
			b.passes(items, fault.New(fault.SystemError, "no"))
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		b.passes(items, fault.New(fault.SystemError, "again"))
		b.book.Drop("con_2")
		time.Sleep(18 * time.Second)
		cancel(enough)
		<-done
		got := strings.Join(lines, "\n")
		want := strings.Join([]string{
			"0s con_1 ", "0s con_2 ", "0s  ", // everything, then a beat
			"0s con_1 failing", "1s con_1 failing", // at most once a second
			"4s con_2 ",
			"10s con_1 failing", "10s  ", // renewed
			"20s  ",
		}, "\n")
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
