package syncs

import (
	"time"

	"gantry/relay/records"
)

// lookback is how long a transaction at the source may take from the time that it stamps its rows with to the moment at
// which others see them. What takes longer is found by the next full run.
const lookback = 10 * time.Minute

// grain is how coarse the source's stamps may be.
const grain = 2 * time.Minute

// from is where an incremental run begins: at the mark, less the lookback until that has passed. The mark is a time of the
// source's own clock; of the two clocks only durations are compared, never times, so that neither has to be right.
func from(m records.Mark) time.Time {
	if m.At.IsZero() || m.Settled {
		return m.At
	}
	return m.At.Add(-lookback)
}

// advance gives the mark after a run that succeeded now. The mark is settled once a run that began a lookback after the mark
// was reached has looked back: whatever was stamped up to the mark has appeared, and has been read. So a million rows with
// one stamp are read again for some minutes, and not for ever.
func advance(m records.Mark, run records.Run, now time.Time) records.Mark {
	switch {
	case run.Newest.After(m.At):
		return records.Mark{At: run.Newest, ReachedAt: now}
	case !m.At.IsZero() && run.StartedAt.Sub(m.ReachedAt) > lookback+grain:
		m.Settled = true
	}
	return m
}

// newest gives the latest change among records. Those that are stamped later than the run's beginning by the relay's clock do
// not count: a mark in the future, by one record with a wrong date, would hide every change until then. They are read
// again by each run until their time has come.
func newest(all []records.Record, begun time.Time) (at time.Time) {
	for _, r := range all {
		if r.UpdatedAt.After(at) && !r.UpdatedAt.After(begun) {
			at = r.UpdatedAt
		}
	}
	return at
}
