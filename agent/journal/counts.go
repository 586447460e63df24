package journal

import (
	"context"
	"fmt"
	"time"
)

// Counts says how many entries there are in each state, and when the oldest began; zero where there is none.
func (j *Journal) Counts(ctx context.Context) (map[State]int, time.Time, error) {
	rows, err := j.db.QueryContext(ctx, "SELECT state, count(*), min(started_at) FROM journal GROUP BY state")
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("count writes: %w", err)
	}
	defer rows.Close()
	counts, oldest := map[State]int{}, time.Time{}
	for rows.Next() {
		var state State
		var n int
		var began int64
		if err := rows.Scan(&state, &n, &began); err != nil {
			return nil, time.Time{}, fmt.Errorf("count writes: %w", err)
		}
		counts[state] = n
		if at := time.UnixMilli(began).UTC(); oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return counts, oldest, rows.Err()
}
