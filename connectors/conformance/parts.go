package conformance

import (
	"fmt"
	"time"

	"gantry/connectors"
)

// PartCount is how many parts a suite's table holds.
const PartCount = 137

// Parts are the rows of the table part: ties in modified, nulls in category, exact prices that no float holds.
func Parts(n int) []connectors.Row {
	epoch := time.Date(2026, 3, 29, 1, 59, 0, 0, time.UTC) // an hour that does not exist in parts of Europe
	rows := make([]connectors.Row, n)
	for i := range rows {
		rows[i] = connectors.Row{
			"part_id": int64(i + 1), "name": fmt.Sprintf("Größe %d's", i+1),
			"price": fmt.Sprintf("%d.%02d", 90071992547409+i, i%100), "category": category(i),
			"modified": epoch.Add(time.Duration(i/10) * time.Minute),
		}
	}
	return rows
}

func category(i int) any {
	if i%7 == 0 {
		return nil
	}
	return fmt.Sprintf("c%d", i%5)
}
