package configs

import (
	"testing"
	"time"
)

func TestQuietHours(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time {
		return time.Date(2026, time.March, day, hour, minute, 0, 0, berlin)
	} // the 28th is a Saturday
	for _, tt := range []struct {
		quiet string
		now   time.Time
		until time.Time // zero: not quiet
	}{
		{"22:00-04:00", at(25, 21, 59), time.Time{}},
		{"22:00-04:00", at(25, 22, 0), at(26, 4, 0)},
		{"22:00-04:00", at(26, 3, 59), at(26, 4, 0)},
		{"22:00-04:00", at(26, 4, 0), time.Time{}},
		{"Mon-Fri 11:30-12:15", at(27, 12, 0), at(27, 12, 15)},
		{"Mon-Fri 11:30-12:15", at(28, 12, 0), time.Time{}},
		{"Fri 22:00-04:00", at(28, 3, 0), at(28, 4, 0)}, // it began on Friday
		{"Fri 22:00-04:00", at(29, 3, 0), time.Time{}},
		{"Sat,Sun 00:00-24:00", at(28, 23, 59), at(29, 0, 0)},
		{"Sat-Mon 00:00-24:00", at(30, 1, 0), at(31, 0, 0)},
		{"01:00-05:00", at(29, 3, 30), at(29, 5, 0)}, // the night in which the clock goes forward
	} {
		q, err := ParseQuiet(tt.quiet)
		if err != nil {
			t.Errorf("%s: %v", tt.quiet, err)
		}
		if got := q.Until(tt.now); !got.Equal(tt.until) {
			t.Errorf("%s at %s: until %s, want %s", tt.quiet, tt.now, got, tt.until)
		}
	}
	for _, wrong := range []string{"", "22:00", "22:00-", "22-04", "24:00-04:00", "22:00-25:00", "08:00-08:00", "Mo 08:00-09:00", "Mon- 08:00-09:00", "Mon  08:00-09:00", "8:00-9:00", "08:00-09:00 Mon"} {
		if q, err := ParseQuiet(wrong); err == nil {
			t.Errorf("%q was read as %+v", wrong, q)
		}
	}
}

func FuzzParseQuiet(f *testing.F) {
	f.Add("Mon-Fri 22:00-04:00", int64(1_700_000_000))
	f.Add("Sat,Sun 00:00-24:00", int64(0))
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		q, err := ParseQuiet(s)
		if err != nil {
			return
		}
		now := time.Unix(unix%(1<<33), 0).UTC()
		if until := q.Until(now); !until.IsZero() && (!until.After(now) || until.Sub(now) > 24*time.Hour) {
			t.Errorf("%q at %s: until %s", s, now, until)
		}
	})
}
