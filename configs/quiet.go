package configs

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Quiet is a span of hours in which a plant's systems are left alone: every day, or on some days of the week. It is told in
// the time of the agent's host.
type Quiet struct {
	Days     []time.Weekday // on which it begins; empty: every day
	From, To int            // minutes after midnight; To is at most 24:00, and on the next day where it is not after From
}

var errQuiet = errors.New("are no hours")

const dayMinutes = 24 * 60

// ParseQuiet reads `22:00-04:00`, `Sat,Sun 00:00-24:00` or `Mon-Fri 11:30-12:15`.
func ParseQuiet(s string) (Quiet, error) {
	days, hours, some := strings.Cut(s, " ")
	if !some {
		days, hours = "", s
	}
	from, to, span := strings.Cut(hours, "-")
	var q Quiet
	var ok [3]bool
	q.Days, ok[0] = parseDays(days)
	q.From, ok[1] = parseMinute(from)
	q.To, ok[2] = parseMinute(to)
	if !span || ok != [3]bool{true, true, true} || q.From == q.To || q.From == dayMinutes {
		return Quiet{}, errQuiet
	}
	return q, nil
}

// parseMinute reads HH:MM up to 24:00.
func parseMinute(s string) (int, bool) {
	if s == "24:00" {
		return dayMinutes, true
	}
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err == nil && len(s) == len("15:04")
}

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// parseDays reads `Mon-Fri`, `Sat,Sun` or nothing.
func parseDays(s string) (days []time.Weekday, ok bool) {
	if s == "" {
		return nil, true
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, span := strings.Cut(part, "-")
		if !span {
			last = first
		}
		from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if from < 0 || to < 0 {
			return nil, false
		}
		for day := from; ; day = (day + 1) % len(weekdays) {
			days = append(days, time.Weekday(day))
			if day == to {
				break
			}
		}
	}
	return days, true
}

// Until gives the end of the quiet hours that now lies in; the zero time where it lies in none. The zone of now counts.
func (q Quiet) Until(now time.Time) time.Time {
	for _, began := range []int{0, -1} { // today, or yesterday and over midnight
		y, m, d := now.AddDate(0, 0, began).Date()
		from := time.Date(y, m, d, 0, q.From, 0, 0, now.Location())
		end := time.Date(y, m, d, 0, q.To, 0, 0, now.Location())
		if q.To <= q.From {
			end = time.Date(y, m, d+1, 0, q.To, 0, 0, now.Location())
		}
		if q.on(from.Weekday()) && !now.Before(from) && now.Before(end) {
			return end
		}
	}
	return time.Time{}
}

func (q Quiet) on(day time.Weekday) bool { return len(q.Days) == 0 || slices.Contains(q.Days, day) }
