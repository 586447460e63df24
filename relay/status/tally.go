package status

import (
	"fmt"
	"time"

	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// Bounds of what failed calls leave behind.
const (
	window     = time.Minute // equal failures within it are one event
	maxKinds   = 50          // kinds of failure of one connection within a window; what is beyond is told apart by its code alone
	maxRequest = 20          // request ids that an event names
)

// tallies counts the failed calls of each connection.
type tallies map[string]map[likeness]*tally

// likeness is what makes two failures equal.
type likeness struct {
	entity, operation string
	code              fault.Code
}

// tally is a window in which equal failures are counted.
type tally struct {
	until    time.Time
	row      store.Connection
	latest   *fault.Error
	count    int // after the one that was told at once
	from, to time.Time
	requests []string // the last ones
}

// count notes a failed call. The first of its kind is told at once.
func (t tallies) count(row store.Connection, problem *fault.Error, now time.Time) (e store.NewEvent, first bool) {
	kinds := t[row.ID]
	if kinds == nil {
		kinds = map[likeness]*tally{}
		t[row.ID] = kinds
	}
	key := likeness{problem.Entity, problem.Operation, problem.Code}
	if kinds[key] == nil && len(kinds) >= maxKinds {
		key = likeness{code: problem.Code}
	}
	if open := kinds[key]; open != nil {
		open.add(problem, now)
		return e, false
	}
	kinds[key] = &tally{until: now.Add(window), row: row}
	return callFailed(row, problem, now), true
}

func (t *tally) add(problem *fault.Error, now time.Time) {
	if t.count++; t.count == 1 {
		t.from = now
	}
	t.latest, t.to = problem, now
	if t.requests = append(t.requests, problem.RequestID); len(t.requests) > maxRequest {
		t.requests = t.requests[1:]
	}
}

// due gives the events of the windows that are over. A kind that still fails is counted on; one that stopped is forgotten.
func (t tallies) due(now time.Time, all bool) []store.NewEvent {
	var events []store.NewEvent
	for connection, kinds := range t {
		for key, open := range kinds {
			if now.Before(open.until) && !all {
				continue
			}
			if open.count == 0 {
				delete(kinds, key)
				continue
			}
			events = append(events, open.event())
			kinds[key] = &tally{until: now.Add(window), row: open.row}
		}
		if len(kinds) == 0 {
			delete(t, connection)
		}
	}
	return events
}

// Repeated is the Data of a call.failed that stands for several.
type Repeated struct {
	Count      int       `json:"count"`
	Since      time.Time `json:"since"`
	RequestIDs []string  `json:"request_ids"` // the last ones
}

func (t *tally) event() store.NewEvent {
	e := callFailed(t.row, t.latest, t.to)
	if t.count > 1 {
		e.Message = fmt.Sprintf("%d more times since %s: %s", t.count, t.from.UTC().Format("15:04:05 UTC"), e.Message)
	}
	e.Data = encode(Repeated{t.count, t.from.UTC().Truncate(time.Millisecond), t.requests})
	return e
}

// callFailed is the event of one failed call.
func callFailed(row store.Connection, problem *fault.Error, at time.Time) store.NewEvent {
	e := of(row, levelOf(problem), store.CallFailed)
	e.At, e.Entity, e.Operation, e.Code, e.RequestID = at, problem.Entity, problem.Operation, string(problem.Code), problem.RequestID
	e.Message = problem.Detail
	if e.Message == "" {
		e.Message = problem.Code.Spec().Title + "."
	}
	return e
}

// levelOf says how much a failure matters: one of the caller's own little, one that passes by itself more.
func levelOf(problem *fault.Error) store.Level {
	switch problem.Code {
	case fault.Overloaded, fault.RateLimitExceeded, fault.SystemRateLimited, fault.CircuitOpen, fault.ConnectionPaused, fault.TunnelLost:
		return store.LevelWarning
	}
	if problem.Hop == fault.HopClient || problem.Scope == fault.ScopeRecord {
		return store.LevelInfo
	}
	return store.LevelError
}
