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
	begun := session{"gok_secret", 3}
	cookie := s.seal(begun)
	if got, err := s.open(cookie); got != begun || err != nil {
		t.Fatalf("%+v %v", got, err)
	}
	if s.seal(begun) == cookie {
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
		"none": "", "no base64": "!", "cut": cookie[:len(cookie)-2], "changed": "A" + cookie[1:], "another relay's": stranger.seal(begun),
	} {
		if value == cookie {
			continue // the first sign was an A
		}
		if got, err := s.open(value); err == nil {
			t.Errorf("%s: opens as %+v", name, got)
		}
	}
	now = now.Add(sessionLife + time.Second)
	if _, err := s.open(cookie); err == nil {
		t.Error("an old sign-in holds")
	}
}
