package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestEveryCode: every code is whole, once in the table, and survives the way to a caller.
func TestEveryCode(t *testing.T) {
	seen := map[Code]bool{}
	for _, spec := range Specs() {
		t.Run(string(spec.Code), func(t *testing.T) {
			if seen[spec.Code] || spec.Status < 400 || spec.Title == "" || spec.Advice == "" || spec.Meaning == "" || !slices.Contains(Hops(), spec.Hop) || !slices.Contains(Scopes(), spec.Scope) {
				t.Errorf("not whole: %+v", spec)
			}
			seen[spec.Code] = true
			want := New(spec.Code, "It went wrong in %s.", "a test")
			w := httptest.NewRecorder()
			want.Write(w)
			if w.Code != spec.Status || w.Header().Get("Content-Type") != ContentType {
				t.Errorf("answered %d %s", w.Code, w.Header().Get("Content-Type"))
			}
			if (spec.RetryAfter > 0) != (w.Header().Get("Retry-After") != "") {
				t.Errorf("Retry-After: %q", w.Header().Get("Retry-After"))
			}
			got, err := Decode(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Error{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRoundTripOfEverything(t *testing.T) {
	want := New(ValidationFailed, "Two fields are wrong.").At(HopSystem).Reaches(ScopeEntity).Ended(Rejected).
		Advise("Look at %s.", "them").After(3*time.Second).In("work-orders", "create", "4711").
		Member("title", "REQUIRED", "A title is needed.").Said("23502", "null value").Permits("GET", "POST")
	want.RequestID, want.ConnectionID, want.AgentID = "req_1", "con_1", "agt_1"
	raw, err := json.Marshal(want.Because(errors.New("canary")))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("canary")) {
		t.Error("the cause was serialised")
	}
	got, err := Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Error{})); diff != "" {
		t.Error(diff)
	}
}

func TestFrom(t *testing.T) {
	known := New(NotFound, "No such record.")
	tests := []struct {
		name string
		err  error
		code Code
		hop  Hop
	}{
		{"one of ours, wrapped", fmt.Errorf("get record: %w", known), NotFound, HopClient},
		{"a deadline", fmt.Errorf("query: %w", context.DeadlineExceeded), SystemTimeout, HopSystem},
		{"a caller that left", context.Canceled, Cancelled, HopClient},
		{"anything", errors.New("boom"), Internal, HopSystem},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := From(tt.err, HopSystem)
			if got.Code != tt.code || got.Hop != tt.hop || (tt.code != NotFound && !errors.Is(got, tt.err)) {
				t.Errorf("From = %v", got)
			}
		})
	}
	if From(nil, HopAgent) != nil {
		t.Error("made an error of nothing")
	}
}

// TestUnknownOutcome: what may have happened is never blindly retryable.
func TestUnknownOutcome(t *testing.T) {
	for outcome, want := range map[Outcome]bool{NotSent: true, Rejected: true, Unknown: false, Done: false} {
		if got := New(TunnelLost, "It broke.").Ended(outcome).Retryable; got != want {
			t.Errorf("%s: retryable %v", outcome, got)
		}
	}
}

func TestRetryAfterIsNeverEarly(t *testing.T) {
	w := httptest.NewRecorder()
	New(RateLimitExceeded, "Slow down.").After(1200 * time.Millisecond).Write(w)
	if got := w.Header().Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After: %s", got)
	}
}

func TestClonedErrorIsAnother(t *testing.T) {
	shared := New(AgentOffline, "No session.")
	shared.Clone().RequestID = "req_1"
	if shared.RequestID != "" {
		t.Error("completing a clone changed the shared one")
	}
}

func TestDecodeRefuses(t *testing.T) {
	const good = `{"code":"NOT_FOUND","hop":"client","scope":"record"}`
	if _, err := Decode(strings.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"nothing":           "",
		"a page":            "<html>",
		"an unknown code":   `{"code":"MADE_UP","hop":"client","scope":"record"}`,
		"an unknown hop":    `{"code":"NOT_FOUND","hop":"moon","scope":"record"}`,
		"an unknown scope":  `{"code":"NOT_FOUND","hop":"client","scope":"world"}`,
		"another outcome":   `{"code":"NOT_FOUND","hop":"client","scope":"record","outcome":"maybe"}`,
		"a negative wait":   `{"code":"NOT_FOUND","hop":"client","scope":"record","retry_after":-1}`,
		"a wait of a year":  `{"code":"NOT_FOUND","hop":"client","scope":"record","retry_after":31536000}`,
		"too many fields":   `{"code":"NOT_FOUND","hop":"client","scope":"record","fields":[` + strings.Repeat("{},", 256) + `{}]}`,
		"more than allowed": `{"code":"NOT_FOUND","hop":"client","scope":"record","detail":"` + strings.Repeat("x", MaxProblem) + `"}`,
	}
	for name, raw := range tests {
		if e, err := Decode(strings.NewReader(raw)); err == nil {
			t.Errorf("%s: took %v", name, e)
		}
	}
}

func FuzzDecode(f *testing.F) {
	whole, _ := json.Marshal(New(BusinessRule, "No.").Member("status", "INVALID", "No.").Said("1", "x").Ended(Rejected))
	f.Add(whole)
	f.Add([]byte(`{"code":"NOT_FOUND","hop":"client","scope":"record","retry_after":0}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Decode(bytes.NewReader(raw))
		if err != nil {
			return
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("cannot be passed on: %v", err)
		}
		if len(again) > 2*MaxProblem {
			return // escaping may have made it longer than a document may be
		}
		if _, err := Decode(bytes.NewReader(again)); err != nil && len(again) <= MaxProblem {
			t.Errorf("does not survive a round trip: %v", err)
		}
	})
}
