package house

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"testing"

	"gantry/connectors/sql/sqltest"
	"gantry/house/adventureworks"
)

// adventureWorks is a plant whose system is the AdventureWorks data in a real database, and a connection to it.
type adventureWorks struct {
	plant    *plant
	server   *sqltest.Server
	base     *sqltest.Database
	database *sql.DB // with all rights, around Gantry: what is true
	login    login
	client   *Client
}

// openAdventureWorks loads the data, starts a plant and connects.
func openAdventureWorks(t *testing.T, database string, options ...option) *adventureWorks {
	t.Helper()
	system := map[string]string{"postgres": "adventureworks", "mariadb": "adventureworks-mariadb"}[database]
	return openAdventureWorksAs(t, system, database, options...)
}

func openAdventureWorksAs(t *testing.T, system, database string, options ...option) *adventureWorks {
	t.Helper()
	needData(t)
	server := sqltest.Postgres
	if database == "mariadb" {
		server = sqltest.MariaDB
	}
	aw := &adventureWorks{server: server(t)}
	aw.base = aw.server.Database(t)
	aw.database = aw.base.DB
	if err := adventureworks.Load(t.Context(), aw.database, aw.server.Dialect); err != nil {
		t.Fatal(err)
	}
	user := aw.user(t)
	aw.login = login{System: system, Name: "erp", Settings: user.Settings(), Credentials: map[string]string{"password": user.Password}}
	aw.plant = open(t, options...)
	aw.plant.allow("target", aw.server.Address())
	aw.plant.allow("writes")
	aw.client, _ = aw.plant.connect(aw.login)
	return aw
}

// user makes a login whose rights a test may take away: the owner's cannot be.
func (aw *adventureWorks) user(t *testing.T) *sqltest.Database {
	t.Helper()
	if aw.server.Dialect == "mysql" {
		return aw.base.Login(t, "GRANT SELECT, INSERT, UPDATE, DELETE ON `"+aw.base.Name+"`.* TO %s")
	}
	return aw.base.Login(t, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %s",
		"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO %s")
}

// as runs statements around Gantry, as the database's administrator.
func (aw *adventureWorks) as(t testing.TB, statements string) {
	t.Helper()
	aw.base.Run(t, statements)
}

func needData(t *testing.T) {
	t.Helper()
	_, err := adventureworks.Folder()
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("GANTRY_REQUIRE_ALL") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
