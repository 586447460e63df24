package demoplant

import (
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"time"
)

// dice draws everything that looks like chance. PCG's sequence is part of Go's compatibility promise, so that the same
// seed gives the same plant with every release.
type dice struct{ *rand.Rand }

func newDice() dice { return dice{rand.New(rand.NewPCG(1994, 12))} }

// between draws a number from low to high, both included.
func (d dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// chance is true in so many of a hundred cases.
func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

// pick draws one of the choices.
func pick[T any](d dice, choices []T) T { return choices[d.IntN(len(choices))] }

// weighted is a choice and how often it is drawn, as a part of the sum.
type weighted[T any] struct {
	value  T
	weight int
}

func pickWeighted[T any](d dice, choices []weighted[T]) T {
	sum := 0
	for _, c := range choices {
		sum += c.weight
	}
	n := d.IntN(sum)
	for _, c := range choices {
		if n -= c.weight; n < 0 {
			return c.value
		}
	}
	return choices[len(choices)-1].value
}

// The plant's records span three and a half years, which end here. No wall clock is ever asked.
var (
	opening = time.Date(2023, 1, 2, 6, 0, 0, 0, time.UTC)
	today   = time.Date(2026, 6, 30, 14, 0, 0, 0, time.UTC)
)

// moment is a wall clock time in working hours, where no summer time begins or ends.
func (d dice) moment(from, to time.Time) time.Time {
	days := max(int(to.Sub(from).Hours()/24), 1)
	day := from.AddDate(0, 0, d.IntN(days))
	return time.Date(day.Year(), day.Month(), day.Day(), d.between(6, 17), d.between(0, 59), d.between(0, 59), 0, time.UTC)
}

// clock prints a time as the database keeps it; the zero time is NULL.
func clock(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Format(time.DateTime)
}

// date prints a day; the zero time is NULL.
func date(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Format(time.DateOnly)
}

// stamp prints a wall clock time as UTC. The plant's clock is one or two hours ahead; which of them does not matter to
// a stamp, and one that never asks for a zone is the same on every machine.
func stamp(t time.Time) string { return t.Add(-time.Hour).Format(time.DateTime) }

// cents is an amount of money. The database keeps it as text.
type cents int64

func (c cents) String() string { return fmt.Sprintf("%d.%02d", int64(c)/100, int64(c)%100) }

// Value implements driver.Valuer.
func (c cents) Value() (driver.Value, error) { return c.String(), nil }

// tenths is a quantity or a number of hours with one decimal.
type tenths int64

func (t tenths) String() string { return fmt.Sprintf("%d.%d", int64(t)/10, int64(t)%10) }

// Value implements driver.Valuer.
func (t tenths) Value() (driver.Value, error) { return t.String(), nil }

// times gives what a quantity costs, rounded to the cent, half away from zero.
func (t tenths) times(price cents) cents { return (cents(t)*price + 5) / 10 }

// text makes NULL of the empty text.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// number makes NULL of zero: the tables count from one.
func number(n int) any {
	if n == 0 {
		return nil
	}
	return n
}
