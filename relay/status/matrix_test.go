package status

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gantry/connectors/wire"
	"gantry/relay/store"
)

// FuzzHealth takes what an agent may send: whatever it is, it is bounded, and becomes a status and a sentence.
func FuzzHealth(f *testing.F) {
	whole, err := json.Marshal(healthy(func(h *wire.Health) {
		h.Circuit = wire.CircuitHealth{State: wire.CircuitOpen, SinceAgoMS: 100, RetryInMS: 200}
		h.Entities["vendors"] = map[string]wire.OperationHealth{"approve": {State: wire.OperationFailing, LastError: &wire.HealthError{Code: "SYSTEM_ERROR", Detail: "odd.", AgoMS: 1}}}
	}))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(whole), `{}`, `{"connection":"c","gone":true}`, `{"throttled_for_ms":9223372036854775807,"quiet_for_ms":-1}`, `{"system":{"state":"odd"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var h wire.Health
		if json.Unmarshal(line, &h) != nil {
			return
		}
		first := read(h, noon, nil)
		m := read(h, noon.Add(time.Second), first)
		if len(m.Entities) > maxEntities {
			t.Errorf("%d entities", len(m.Entities))
		}
		facts := facts{connection: live, agent: there, matrix: m, now: noon}
		v := judge(&facts)
		v.Message = facts.say(v.State)
		if n := utf8.RuneCountInString(v.Message); n == 0 || n > store.MaxEventMessage {
			t.Errorf("a sentence of %d characters", n)
		}
		if _, err := json.Marshal(document(facts, v)); err != nil {
			t.Error(err)
		}
		kept, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var again matrix
		if err := json.Unmarshal(kept, &again); err != nil {
			t.Errorf("what is kept cannot be read: %v", err)
		}
		if e := moves(live, first, m); len(e) > 0 {
			t.Errorf("nothing moved, and is told: %+v", e)
		}
	})
}

// TestTimesOfTheRelaysClock: an age that travelled differs a little each time; what did not happen again keeps its time, what
// did moves on, and what an agent forgot with its restart is still known.
func TestTimesOfTheRelaysClock(t *testing.T) {
	tell := func(since, success time.Duration, change func(*wire.OperationHealth)) wire.Health {
		o := wire.OperationHealth{State: wire.OperationWorking, SinceAgoMS: since.Milliseconds(), LastSuccessAgoMS: success.Milliseconds(), CheckedAgoMS: success.Milliseconds()}
		if change != nil {
			change(&o)
		}
		return wire.Health{Entities: map[string]map[string]wire.OperationHealth{"items": {"list": o}}}
	}
	first := read(tell(time.Minute, time.Second, nil), noon, nil)
	second := read(tell(time.Minute+3*time.Second-20*time.Millisecond, time.Second, nil), noon.Add(3*time.Second), first)
	o := second.Entities["items"]["list"]
	if !o.Since.Equal(noon.Add(-time.Minute)) || !o.LastSuccess.Equal(noon.Add(2*time.Second)) || !o.Checked.Equal(o.LastSuccess) {
		t.Errorf("after three seconds: %+v", o)
	}
	third := read(tell(time.Second, 0, func(o *wire.OperationHealth) { o.State = wire.OperationDenied }), noon.Add(time.Minute), second)
	if o := third.Entities["items"]["list"]; !o.LastSuccess.Equal(noon.Add(2*time.Second)) || !(cell{"items", "list", o}).lost() {
		t.Errorf("a restarted agent that is denied: %+v", o)
	}
}

// TestManyReasons: a sentence stays one that can be read out.
func TestManyReasons(t *testing.T) {
	m := &matrix{Entities: cells{}}
	for i := range 60 {
		name := strings.Repeat("x", i%7+1) + string(rune('a'+i%26))
		m.Entities[name] = map[string]*operation{"list": fails("CODE_"+name, "why"), "act-" + name: fails("SYSTEM_ERROR", "")}
	}
	f := facts{connection: live, agent: there, matrix: m, now: noon}
	v := judge(&f)
	if said := f.say(v.State); v.State != Degraded || len(said) > 900 || !strings.Contains(said, "other things") || !strings.Contains(said, "more reasons") {
		t.Errorf("%s: %s", v.State, said)
	}
}
