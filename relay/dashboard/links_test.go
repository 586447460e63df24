package dashboard

import (
	"context"
	"strings"
	"testing"
	"time"

	"gantry/relay/store"
)

func TestLinksSignInOnce(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	made := 0
	l := &links{now: func() time.Time { return now }, open: map[store.Hash]openLink{},
		key: func(_ context.Context, v Visitor, ends time.Time) (string, error) {
			made++
			if v.Organisation != "org_1" || v.Role != store.Support || ends.Sub(now) != sessionLife {
				t.Errorf("a key for %+v until %s", v, ends)
			}
			return "gok_made", nil
		}}
	visitor := Visitor{"org_1", store.Support}
	issue := func() string {
		code, err := l.issue(visitor, now.Add(time.Minute))
		if err != nil || !strings.HasPrefix(code, string(codePrefix)) {
			t.Fatalf("%q %v", code, err)
		}
		return code
	}
	first, late := issue(), issue()
	if token, err := l.redeem(t.Context(), first); token != "gok_made" || err != nil {
		t.Errorf("%q %v", token, err)
	}
	now = now.Add(time.Minute)
	for name, code := range map[string]string{"again": first, "too late": late, "no code": "gsc_", "none": ""} {
		if _, err := l.redeem(t.Context(), code); err == nil {
			t.Errorf("%s: signs in", name)
		}
	}
	if made != 1 {
		t.Errorf("%d keys were made", made)
	}
	for range maxLinks {
		issue()
	}
	if _, err := l.issue(visitor, now.Add(time.Minute)); err == nil {
		t.Error("there is no end of links")
	}
	now = now.Add(time.Minute)
	issue()
	if len(l.open) != 1 {
		t.Errorf("%d links are kept, of which one is open", len(l.open))
	}
}
