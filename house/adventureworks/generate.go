package adventureworks

import (
	"context"
	"database/sql"
	"fmt"
)

// Generate makes the table big_reading with so many rows, numbered from 1, inside the database itself. dialect is
// "postgres" or "mysql" (MariaDB, whose sequence engine makes the numbers).
func Generate(ctx context.Context, db *sql.DB, dialect string, rows int) error {
	source := map[string]string{
		"postgres": fmt.Sprintf("generate_series(1, %d) AS s(seq)", rows),
		"mysql":    fmt.Sprintf("seq_1_to_%d", rows),
	}[dialect]
	if source == "" {
		return fmt.Errorf("rows are not generated for %q", dialect)
	}
	return run(ctx, db, `CREATE TABLE big_reading (
		readingid bigint PRIMARY KEY, meter varchar(20) NOT NULL, value decimal(12,2) NOT NULL, unit varchar(3) NOT NULL,
		note varchar(80) NOT NULL);
	INSERT INTO big_reading (readingid, meter, value, unit, note)
		SELECT seq, concat('M-', seq % 1000), seq / 100.0, 'HUR', concat('Reading ', seq, ' of the long row of readings') FROM `+source)
}
