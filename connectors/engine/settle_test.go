package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/engine"
	"gantry/tunnel/fault"
)

// TestLookupWaitsOutTheLag: a system that shows an effect only after a while is not believed when it shows none before.
func TestLookupWaitsOutTheLag(t *testing.T) {
	p := newPlantOf(t, strings.Replace(plantYAML, "class: keyed\n        idempotency: {find", "class: lookup\n        idempotency: {lag: 1m, find", 1))
	p.fails.committed = lost(true)
	w := p.write("create", "", newOrder, "key-1")
	_, err := p.Write(t.Context(), w)
	if f, _ := errors.AsType[*fault.Error](err); f == nil || f.Outcome != fault.Unknown || !strings.Contains(f.Advice, "same Idempotency-Key") {
		t.Fatalf("%+v", err)
	}
	*p.fails = faulty{}
	p.exec("UPDATE po SET ext_ref = 'hidden'") // the system's index lags behind
	w.Age = 10 * time.Second
	_, settled, err := p.Settle(t.Context(), w)
	if f, _ := errors.AsType[*fault.Error](err); settled || f == nil || f.Code != fault.Conflict || f.Outcome != fault.Unknown || f.RetryAfter != 50*time.Second {
		t.Errorf("within the lag: %v, %+v", settled, err)
	}
	p.exec("UPDATE po SET ext_ref = 'key-1'")
	result, settled, err := p.Settle(t.Context(), w)
	if !settled || err != nil || result.Record.ID != "1" || result.Status != 201 || !result.Replayed {
		t.Errorf("once it shows: %v, %+v, %v", settled, result, err)
	}
	p.exec("DELETE FROM po")
	w.Age = time.Minute
	if _, settled, err := p.Settle(t.Context(), w); settled || err != nil {
		t.Errorf("after the lag, with no trace: %v, %v; it may run again", settled, err)
	}
}

// TestWithoutTransactions: what was done stays done, so that an outcome is only what can be known.
func TestWithoutTransactions(t *testing.T) {
	refused := func() error {
		return &connectors.Failure{Kind: connectors.Answered, Status: "1299", Message: "not null", Source: map[string]any{"number": int64(1299)}, Sent: true}
	}
	nth := func(n int, err func() error) func() error {
		return func() error {
			if n--; n == 0 {
				return err()
			}
			return nil
		}
	}
	for name, test := range map[string]struct {
		breaks  func(*faulty)
		outcome fault.Outcome
		orders  int // done at the system
	}{
		"the first step is refused":    {func(f *faulty) { f.exec = nth(1, refused) }, fault.Rejected, 0},
		"the first step never left":    {func(f *faulty) { f.exec = nth(1, lost(false)) }, fault.NotSent, 0},
		"the first step has no answer": {func(f *faulty) { f.exec = nth(1, lost(true)) }, fault.Unknown, 0},
		"the second step is refused":   {func(f *faulty) { f.exec = nth(2, refused) }, fault.Unknown, 1},
		"the second step never left":   {func(f *faulty) { f.exec = nth(2, lost(false)) }, fault.Unknown, 1},
		"the end has no answer":        {func(f *faulty) { f.commit = lost(true) }, fault.Unknown, 1},
		"the end never left":           {func(f *faulty) { f.commit = lost(false) }, fault.Unknown, 1},
		"nothing fails":                {func(*faulty) {}, "", 1},
		"it cannot be begun":           {func(f *faulty) { f.begin = lost(false) }, fault.NotSent, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t)
			p.fails.loose = true
			test.breaks(p.fails)
			w := p.write("create", "", newOrder, "key-1")
			_, err := p.Write(t.Context(), w)
			var outcome fault.Outcome
			if f, _ := errors.AsType[*fault.Error](err); f != nil {
				outcome = f.Outcome
			}
			if outcome != test.outcome || p.count("SELECT count(*) FROM po") != test.orders {
				t.Fatalf("outcome %q with %d orders: %v", outcome, p.count("SELECT count(*) FROM po"), err)
			}
			p.fails.exec, p.fails.commit, p.fails.begin = nil, nil, nil
			if _, settled, err := p.Settle(t.Context(), w); err != nil || settled != (test.orders == 1) {
				t.Errorf("settled %v, %v", settled, err)
			}
			var again engine.Result
			if again, err = p.Write(t.Context(), w); err != nil || again.Record.ID != "1" || p.count("SELECT count(*) FROM po") != 1 {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}
