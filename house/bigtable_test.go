package house

import (
	"database/sql"
	"os"
	"testing"

	"gantry/connectors/sql/sqltest"
	"gantry/house/adventureworks"
)

// bigTable is a plant whose system is one table of any size, mapped by a definition that the site wrote itself.
type bigTable struct {
	plant  *plant
	server *sql.DB // the administrator's: it sees what others run
	client *Client
}

const bigReadings = `apiVersion: connector/v1
metadata: {id: big-readings, version: 1.0.0, product: Big readings, categories: [historian], tier: 1, proved: real, extends: [base/sql, base/sql-postgres]}
guide: The historian's read-only user.
entities:
  meter-readings:
    key: [{column: readingid, type: integer}]
    operations:
      list:
        sql: SELECT readingid, meter, value, unit, note FROM big_reading
        keyset: [{column: readingid, type: integer}]
    fields:
      meter_id: {from: meter}
      value: {from: value}
      unit: {from: unit}
      type: {from: note}
`

func openBigTable(t *testing.T, rows int, options ...option) *bigTable {
	t.Helper()
	base := sqltest.Postgres(t).Database(t)
	if err := adventureworks.Generate(t.Context(), base.DB, "postgres", rows); err != nil {
		t.Fatal(err)
	}
	user := base.Login(t, "GRANT SELECT ON big_reading TO %s")
	folder := t.TempDir()
	writeFile(t, folder+"/big-readings.yaml", bigReadings)
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	b := &bigTable{server: base.Server.Admin(), plant: open(t, append(options, withAgent("definitions: "+folder+"\n"))...)}
	b.plant.allow("target", base.Server.Address())
	b.client, _ = b.plant.connect(login{
		System: "big-readings", Name: "historian", Settings: user.Settings(),
		Credentials: map[string]string{"password": user.Password},
	})
	return b
}

// running counts the agent's active queries on the big table.
func (b *bigTable) running(t *testing.T) int {
	return count(t, b.server, "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND query ILIKE '%big_reading%' AND pid <> pg_backend_pid()")
}
