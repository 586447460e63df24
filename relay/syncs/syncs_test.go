package syncs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/connectors/wire"
	"gantry/relay/records"
	"gantry/tunnel/fault"
)

// bubble runs a test on a clock of its own.
func bubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.close()
		test(t, b)
	})
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// fill puts so many rows, each changed a second after the one before, the last one now.
func (b *bench) fill(rows int) {
	for i := range rows {
		b.plant.put(fmt.Sprintf("%05d", i), time.Now().Add(-time.Duration(rows-1-i)*time.Second), 1)
	}
}

func TestFirstRunThenChanges(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(1200)
		b.enable(time.Minute)
		s := b.run()
		same(t, "first", records.Counts{Created: 1200}, s.Last.Counts)
		same(t, "kind", records.Full, s.Last.Kind)
		same(t, "pages", 3, len(b.plant.took()))
		same(t, "next", s.Last.StartedAt.Add(time.Minute), s.NextRunAt)
		same(t, "events", []string{"sync.started", "sync.completed"}, b.happened())
		b.equal()

		b.pass(20 * time.Second)
		b.plant.put("00001", time.Now(), 2)
		b.plant.put("new", time.Now(), 1)
		s = b.pass(45 * time.Second)
		same(t, "second", records.Counts{Created: 1, Updated: 1, Unchanged: 600}, s.Last.Counts) // ten minutes are looked back
		same(t, "kind", records.Incremental, s.Last.Kind)
		b.equal()
	})
}

// TestLateCommits lets rows appear whose stamps lie in the past, many with one stamp.
func TestLateCommits(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(10)
		b.enable(time.Minute)
		b.run()
		for i := range 30 {
			b.pass(time.Minute)
			for n := range 7 {
				b.plant.put(fmt.Sprintf("late-%d-%d", i, n), time.Now().Add(-lookback+time.Duration(i%8)*time.Minute+2*time.Minute), 1)
			}
			b.plant.put("fresh", time.Now(), i) // the mark goes on
		}
		b.pass(2 * time.Minute)
		b.equal()
	})
}

// TestASettledMarkIsNotReadAgain: many rows with one stamp are read for some minutes, and not for ever.
func TestASettledMarkIsNotReadAgain(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		at := time.Now().Add(-time.Second)
		for i := range 700 {
			b.plant.put(fmt.Sprint(i), at, 1)
		}
		b.enable(time.Minute)
		b.run()
		same(t, "looked back", records.Counts{Unchanged: 700}, b.pass(lookback).Last.Counts)
		same(t, "settled", records.Counts{}, b.pass(2*grain+time.Minute).Last.Counts)
		b.plant.put("1", time.Now(), 2)
		same(t, "a change", records.Counts{Updated: 1}, b.pass(time.Minute).Last.Counts)
		b.equal()
	})
}

// TestAWrongDateHidesNothing: one record is stamped in the year 2999.
func TestAWrongDateHidesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(3)
		b.plant.put("wrong", time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC), 1)
		b.enable(time.Minute)
		b.run()
		b.pass(time.Minute)
		b.plant.put("00000", time.Now(), 2)
		b.pass(2 * time.Minute)
		b.equal()
	})
}

// TestSkewedClock: the source's clock is hours behind, or ahead.
func TestSkewedClock(t *testing.T) {
	for _, skew := range []time.Duration{-5 * time.Hour, 5 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.enable(time.Minute)
				for i := range 40 {
					b.plant.put(fmt.Sprint(i%7), time.Now().Add(skew), i)
					b.pass(50 * time.Second)
				}
				b.pass(2 * time.Minute)
				b.equal()
			})
		})
	}
}

func TestDeletionsAreFoundByADailyRun(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(100)
		b.enable(time.Hour)
		b.run()
		b.plant.remove("00007", "00042")
		s := b.pass(3 * time.Hour)
		same(t, "an incremental run finds none", 100, s.Live)
		b.plant.took()
		s = b.pass(22 * time.Hour)
		same(t, "live and gone", [2]int{98, 2}, [2]int{s.Live, s.Gone})
		asked := b.plant.took()
		if !slices.Contains(asked, "get 00007") || !slices.Contains(asked, "get 00042") {
			t.Error("a deletion was believed without asking for the record")
		}
		b.equal()
	})
}

// TestNothingIsNotBelieved: rights that are narrowed look like an empty table.
func TestNothingIsNotBelieved(t *testing.T) {
	for name, left := range map[string]int{"empty": 0, "a third": 33} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.fill(100)
				b.enable(time.Hour)
				b.run()
				b.happened()
				for i := range 100 - left {
					b.plant.remove(fmt.Sprintf("%05d", i))
				}
				s := b.ask(records.Asked{Kind: records.Full})
				same(t, "live and gone", [2]int{100, 0}, [2]int{s.Live, s.Gone})
				same(t, "problem", fault.Conflict, codeOf(s.Problem))
				same(t, "events", []string{"sync.started", "sync.failed CONFLICT"}, b.happened())
				s = b.ask(records.Asked{Kind: records.Full, Accepts: true})
				same(t, "accepted", [2]int{left, 100 - left}, [2]int{s.Live, s.Gone})
				if s.Problem != nil {
					t.Errorf("the problem stays: %s", s.Problem)
				}
				b.equal()
			})
		})
	}
}

// TestALostRightDeletesNothing: the source refuses, before the run, in its middle, and while deletions are confirmed.
func TestALostRightDeletesNothing(t *testing.T) {
	denied := fault.New(fault.PermissionDenied, "no")
	for name, refuse := range map[string]func(b *bench, call int){
		"before":         func(b *bench, _ int) { b.plant.breaks(denied) },
		"in the middle":  func(b *bench, call int) { b.plant.breaks(pick(call == 2, denied)) },
		"while it asks":  func(b *bench, call int) { b.plant.breaks(pick(call > 3, denied)) },
		"after the read": func(b *bench, call int) { time.AfterFunc(0, func() { b.plant.breaks(pick(call == 3, denied)) }) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.fill(1200)
				b.enable(time.Hour)
				b.run()
				b.plant.calls = 0
				b.plant.before = func(call int) { refuse(b, call) }
				if _, err := b.Store.AskRun(t.Context(), "org_1", items, records.Asked{Kind: records.Full}); err != nil {
					t.Fatal(err)
				}
				same(t, "gone", 0, b.pass(10*time.Minute).Gone)
				b.plant.before = nil
				b.plant.breaks(nil)
				b.plant.remove("00003")
				s := b.pass(time.Hour)
				same(t, "healed, live", 0, s.Failures)
				s = b.ask(records.Asked{Kind: records.Full})
				same(t, "then", [2]int{1199, 1}, [2]int{s.Live, s.Gone})
				b.equal()
			})
		})
	}
}

func pick(yes bool, f *fault.Error) *fault.Error {
	if yes {
		return f
	}
	return nil
}

// TestRowsThatMoveAreNotDeleted: while pages are read, a row moves behind the reader's back.
func TestRowsThatMoveAreNotDeleted(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(1200)
		b.enable(time.Hour)
		b.run()
		b.plant.before = func(call int) {
			if call == 5 { // the second page of the next run
				b.plant.put("01199", time.Now().Add(-24*time.Hour), 7)
				b.plant.remove("00600")
			}
		}
		s := b.ask(records.Asked{Kind: records.Full})
		same(t, "live and gone", [2]int{1199, 1}, [2]int{s.Live, s.Gone})
		b.equal()
	})
}

// TestChangesDuringARun: rows change, appear and go while each page is read, and runs follow one another.
func TestChangesDuringARun(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(1500)
		b.enable(time.Minute)
		n := 0
		b.plant.before = func(int) {
			for range 40 {
				n++
				b.plant.put(fmt.Sprintf("%05d", n*37%1500), time.Now(), n)
				b.plant.put(fmt.Sprintf("new-%d", n), time.Now(), n)
				b.plant.remove(fmt.Sprintf("%05d", n*91%1500))
			}
			time.Sleep(time.Second)
		}
		b.pass(5 * time.Minute)
		b.plant.before = nil
		b.ask(records.Asked{Kind: records.Full})
		b.equal()
		alternate(t, b)
	})
}

// alternate checks that for each record created comes first, and that nothing changes while it is gone.
func alternate(t *testing.T, b *bench) {
	t.Helper()
	live := map[string]bool{}
	for after := int64(0); ; {
		page, err := b.Store.Changes(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			if after = c.Number; c.Kind == records.Event {
				continue
			}
			if (c.Kind == records.Created) == live[c.Record] {
				t.Fatalf("%s of %s, which is live: %t", c.Kind, c.Record, live[c.Record])
			}
			live[c.Record] = c.Kind != records.Deleted
		}
		if err := b.Store.Told(t.Context(), after); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFailingSourceHealsByItself(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(1200)
		b.enable(time.Minute)
		b.plant.before = func(call int) {
			if call == 3 {
				b.plant.breaks(fault.New(fault.SystemUnreachable, "away").After(time.Second))
			}
		}
		s := b.pass(time.Hour)
		same(t, "code", fault.SystemUnreachable, codeOf(s.Problem))
		if s.Failures < 5 || s.Failures > 20 {
			t.Errorf("%d tries in an hour", s.Failures)
		}
		same(t, "told once", []string{"sync.started", "sync.failed SYSTEM_UNREACHABLE"}, b.happened())
		same(t, "kept so far", 1000, s.Live)
		cursor := s.Run.Cursor

		b.plant.before = nil
		b.plant.breaks(nil)
		b.plant.took()
		s = b.pass(longWait)
		same(t, "failures", 0, s.Failures)
		if asked := b.plant.took(); !strings.Contains(asked[0], "cursor") || cursor == "" {
			t.Errorf("it began anew: %s", asked[0])
		}
		b.equal()
	})
}

func TestStopInTheMiddle(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(1200)
		b.enable(time.Hour)
		b.plant.before = func(call int) {
			if call == 2 {
				close(b.stop)
			}
		}
		if _, err := b.Step(t.Context(), items); err != nil {
			t.Fatal(err)
		}
		s := b.sync()
		if s.Run == nil || s.Live != 1000 || s.Failures != 0 {
			t.Errorf("after the stop: run %v, %d records, %d failures", s.Run, s.Live, s.Failures)
		}
		b.stop = make(chan struct{})
		b.Stopping = b.stop
		b.plant.before = nil
		s = b.run()
		same(t, "one run in all", records.Counts{Created: 1200}, s.Last.Counts)
	})
}

func TestLongRunsGiveOthersTheirTurn(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(5000)
		b.enable(time.Hour)
		b.plant.before = func(int) { time.Sleep(4 * time.Second) }
		next, err := b.Step(t.Context(), items)
		if err != nil {
			t.Fatal(err)
		}
		s := b.sync()
		if s.Run == nil || next.After(time.Now()) {
			t.Errorf("after one step: run %v, next %s", s.Run, next)
		}
		b.run()
		b.equal()
	})
}

func TestPausedAndDisconnected(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(3)
		b.enable(time.Minute)
		b.refuse = fault.New(fault.ConnectionPaused, "paused")
		s := b.pass(time.Hour)
		same(t, "no failure", 0, s.Failures)
		same(t, "no call", 0, len(b.plant.took()))
		b.refuse = nil
		same(t, "resumed", 3, b.pass(time.Minute).Live)
		b.refuse = fault.New(fault.ConnectionDisconnected, "over")
		same(t, "disconnected", time.Time{}, b.pass(time.Hour).NextRunAt)
	})
}

func TestARefusedCursorBeginsAnew(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(1200)
		b.enable(time.Hour)
		b.plant.before = func(call int) {
			b.plant.once = pick(call == 2, fault.New(fault.InvalidRequest, "not this cursor"))
		}
		b.pass(10 * time.Minute)
		b.equal()
		same(t, "events", []string{"sync.started", "sync.failed INVALID_REQUEST", "sync.started", "sync.completed"}, b.happened())
	})
}

func TestThePlantsRowCap(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(300)
		b.plant.cap = 100
		b.enable(time.Hour)
		b.run()
		b.equal()
	})
}

func TestWhatCannotBeListed(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.plant.capabilities.Operations["list"] = wire.OperationCapability{Verdict: wire.Verdict{DeniedBy: wire.ByDefinition}}
		b.enable(time.Hour)
		s := b.pass(time.Second)
		same(t, "code", fault.OperationNotSupported, codeOf(s.Problem))
		same(t, "calls", 0, len(b.plant.took()))
	})
}

// TestASourceThatCannotTellChanges is read whole each time.
func TestASourceThatCannotTellChanges(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.plant.capabilities.Filters = nil
		b.fill(20)
		b.enable(time.Hour)
		b.run()
		b.plant.put("00003", time.Now().Add(-time.Hour), 9)
		b.plant.remove("00004")
		s := b.pass(90 * time.Minute)
		same(t, "kind", records.Full, s.Last.Kind)
		same(t, "counts", records.Counts{Updated: 1, Deleted: 1, Unchanged: 18}, s.Last.Counts)
		b.equal()
	})
}

func TestTheWindow(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(100)
		since := time.Now().Add(-10 * time.Second)
		if _, err := b.Store.PutSync(t.Context(), "org_1", items, records.Schedule{Every: time.Hour, Since: since, Enabled: true}); err != nil {
			t.Fatal(err)
		}
		same(t, "within the window", 10, b.run().Live)
		b.plant.remove("00095")
		s := b.ask(records.Asked{Kind: records.Full})
		same(t, "a full run keeps to it", [2]int{9, 1}, [2]int{s.Live, s.Gone})
		window := func(since time.Time) records.Sync {
			if _, err := b.Store.PutSync(t.Context(), "org_1", items, records.Schedule{Every: time.Hour, Since: since, Enabled: true}); err != nil {
				t.Fatal(err)
			}
			return b.run()
		}
		s = window(since.Add(-40 * time.Second))
		same(t, "a wider one brings what is older", [2]int{49, 1}, [2]int{s.Live, s.Gone})
		s = window(since)
		same(t, "a smaller one takes nothing away", [2]int{49, 1}, [2]int{s.Live, s.Gone})
		same(t, "and asks nothing", "", string(s.Problem))
	})
}

func TestErasedInTheMiddle(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(1200)
		b.enable(time.Hour)
		b.plant.before = func(call int) {
			if call == 2 {
				if err := b.Store.Erase(t.Context(), items.Connection); err != nil {
					t.Error(err)
				}
			}
		}
		if next, err := b.Step(t.Context(), items); err != nil || !next.IsZero() {
			t.Errorf("after the erase: %s, %v", next, err)
		}
	})
}

func TestFewOfOneAgent(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.fill(3)
		b.enable(time.Hour)
		for range perAgent {
			leave, ok := b.places.enter("agt_1")
			if !ok {
				t.Fatal("no place")
			}
			defer leave()
		}
		next, err := b.Step(t.Context(), items)
		if err != nil || !next.After(time.Now()) || len(b.plant.took()) > 0 {
			t.Errorf("beyond the places: next %s, %v", next, err)
		}
	})
}

func TestWaits(t *testing.T) {
	away := fault.New(fault.SystemUnreachable, "away").After(0)
	for failures, want := range map[int]time.Duration{1: firstWait, 2: 2 * firstWait, 4: 8 * firstWait, 9: longWait, 1000: longWait} {
		if got := wait(failures, away); got > want || got < want*3/4 {
			t.Errorf("after %d failures: %s, want about %s", failures, got, want)
		}
	}
	if got := wait(1, fault.New(fault.CircuitOpen, "open").After(time.Hour)); got != time.Hour {
		t.Errorf("asked to wait an hour: %s", got)
	}
}
