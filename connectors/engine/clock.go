package engine

import (
	"strings"
	"time"

	"gantry/connectors/definition"
	"gantry/connectors/entity"
)

// instant reads a native date or time. ok is false for what is no date; exact is false for a wall clock that its zone
// skips in spring, which is then moved forward by the hour. A wall clock that happens twice in autumn is the first of the two.
func (c *column) instant(v any) (at time.Time, exact, ok bool) {
	zoned := c.Native == definition.NativeInstant
	switch v := v.(type) {
	case time.Time:
		at = v
	case string:
		at, zoned, ok = c.parseText(v, zoned)
		if !ok {
			return at, false, false
		}
	default:
		return at, false, false
	}
	if y := at.Year(); y < 1 || y > 9999 {
		return at, false, false
	}
	if c.Type == entity.Date {
		return at, true, true
	}
	if zoned || c.zone == time.UTC {
		return at.UTC(), true, true
	}
	out, exact := inZone(at, c.zone)
	return out.UTC(), exact, true
}

// textLayouts are the forms of systems that keep times as text, where the definition names none.
var textLayouts = []string{time.DateTime, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly}

func (c *column) parseText(s string, zoned bool) (time.Time, bool, bool) {
	s = strings.TrimSpace(s)
	if at, err := time.ParseInLocation(c.layout, s, time.UTC); err == nil {
		return at, zoned, true
	}
	if c.Layout != "" { // the definition said how it looks
		return time.Time{}, false, false
	}
	for _, layout := range textLayouts {
		if at, err := time.ParseInLocation(layout, s, time.UTC); err == nil {
			return at, zoned || layout == time.RFC3339, true
		}
	}
	return time.Time{}, false, false
}

// inZone reads a UTC time's digits as a wall clock of the zone.
func inZone(wall time.Time, zone *time.Location) (time.Time, bool) {
	y, m, d := wall.Date()
	at := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	same := at.Hour() == wall.Hour() && at.Minute() == wall.Minute()
	if same {
		return firstOfTwo(at), true
	}
	if wallOf(at).Before(wall) { // time.Date took the offset after the gap: move on, never back
		_, end := at.ZoneBounds()
		_, before := at.Zone()
		_, after := end.Zone()
		at = at.Add(time.Duration(after-before) * time.Second)
	}
	return at, false
}

// firstOfTwo gives the earlier of two instants that show the same wall clock.
func firstOfTwo(at time.Time) time.Time {
	start, _ := at.ZoneBounds()
	if start.IsZero() {
		return at
	}
	_, now := at.Zone()
	_, before := start.Add(-time.Nanosecond).Zone()
	if earlier := at.Add(time.Duration(now-before) * time.Second); before > now && earlier.Before(start) {
		return earlier
	}
	return at
}

// wallOf gives the digits of a time's clock as a UTC time: as drivers carry wall clocks.
func wallOf(at time.Time) time.Time {
	y, m, d := at.Date()
	return time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
}

// native gives an instant in the form that the column holds.
func (c *column) nativeTime(at time.Time) any {
	switch c.Native {
	case definition.NativeInstant:
		return at.UTC()
	case definition.NativeTextDatetime, definition.NativeTextDate:
		return at.In(c.zone).Format(c.layout)
	case definition.NativeDate:
		return wallOf(at.In(c.zone)).Truncate(24 * time.Hour)
	}
	return wallOf(at.In(c.zone))
}

// after gives the native bound for "later than an instant". In the last hour before a zone's clock goes back, later
// instants show earlier wall clocks: the bound is then the moment the clock goes back to, for a record too many does no
// harm and a record too few is lost to a sync.
func (c *column) after(at time.Time) (bound any, inclusive bool) {
	if c.Native == definition.NativeInstant {
		return at.UTC(), false
	}
	local := at.In(c.zone)
	if _, end := local.ZoneBounds(); !end.IsZero() && wallOf(end.In(c.zone)).Before(wallOf(local)) {
		return c.nativeTime(end), true
	}
	return c.nativeTime(at), c.Native == definition.NativeDate || c.Native == definition.NativeTextDate
}
