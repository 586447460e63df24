package dashboard

import (
	"testing"
	"time"
)

func TestSessionsEnd(t *testing.T) {
	secret, err := NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	s, err := newSeals(secret, true, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	cookie := s.seal("gok_secret")
	if token, err := s.open(cookie); token != "gok_secret" || err != nil {
		t.Fatalf("%q %v", token, err)
	}
	if s.seal("gok_secret") == cookie {
		t.Error("two sign-ins have one cookie")
	}
	other, err := NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := newSeals(other, true, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"none": "", "no base64": "!", "cut": cookie[:len(cookie)-2], "changed": "A" + cookie[1:], "another relay's": stranger.seal("gok_secret"),
	} {
		if value == cookie {
			continue // the first sign was an A
		}
		if token, err := s.open(value); err == nil {
			t.Errorf("%s: opens as %q", name, token)
		}
	}
	now = now.Add(sessionLife + time.Second)
	if _, err := s.open(cookie); err == nil {
		t.Error("an old sign-in holds")
	}
}
