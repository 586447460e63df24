package adventureworks

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/connectors/sql/sqltest"
)

// demand skips a test where the data set is absent, unless everything is required.
func demand(t *testing.T) {
	t.Helper()
	_, err := Folder()
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) && os.Getenv("GANTRY_REQUIRE_ALL") == "":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	demand(t)
	for name, server := range map[string]func(testing.TB) *sqltest.Server{"postgres": sqltest.Postgres, "mariadb": sqltest.MariaDB} {
		t.Run(name, func(t *testing.T) {
			database := server(t).Database(t)
			begin := time.Now()
			if err := Load(t.Context(), database.DB, database.Server.Dialect); err != nil {
				t.Fatal(err)
			}
			t.Logf("loaded in %s", time.Since(begin).Round(time.Millisecond))
			got := map[string]string{}
			for what, query := range map[string]string{
				"orders":   "SELECT count(*) FROM purchaseorderheader",
				"lines":    "SELECT count(*) FROM purchaseorderdetail",
				"products": "SELECT count(*) FROM product",
				"stock":    "SELECT count(*) FROM productinventory",
				"vendors":  "SELECT count(*) FROM vendor",
				"total":    "SELECT sum(totaldue) FROM purchaseorderheader",
				"of lines": "SELECT sum(linetotal) FROM purchaseorderdetail",
			} {
				var n string
				if err := database.DB.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
					t.Fatal(err)
				}
				got[what] = n
			}
			want := map[string]string{"orders": "4012", "lines": "8845", "products": "504", "stock": "1069", "vendors": "104",
				"total": "70479332.6383", "of lines": "63791994.8380"}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestGenerate(t *testing.T) {
	for name, server := range map[string]func(testing.TB) *sqltest.Server{"postgres": sqltest.Postgres, "mariadb": sqltest.MariaDB} {
		t.Run(name, func(t *testing.T) {
			database := server(t).Database(t)
			if err := Generate(t.Context(), database.DB, database.Server.Dialect, 5000); err != nil {
				t.Fatal(err)
			}
			var n, last int
			if err := database.DB.QueryRowContext(t.Context(), "SELECT count(*), max(readingid) FROM big_reading").Scan(&n, &last); err != nil {
				t.Fatal(err)
			}
			if n != 5000 || last != 5000 {
				t.Errorf("%d rows, the last is %d", n, last)
			}
		})
	}
}
