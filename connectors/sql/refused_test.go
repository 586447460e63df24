package sqldriver_test

import (
	"errors"
	"fmt"
	"testing"

	"gantry/connectors"
	sqldriver "gantry/connectors/sql"
	"gantry/connectors/sql/sqltest"
)

// TestWhyALoginIsKeptOut asks real servers with logins that each fail in one way.
func TestWhyALoginIsKeptOut(t *testing.T) {
	servers := map[string]struct {
		server func(testing.TB) *sqltest.Server
		lock   string // a statement with the user's name
	}{
		"postgres": {sqltest.Postgres, "ALTER ROLE %s NOLOGIN"},
		"mariadb":  {sqltest.MariaDB, "ALTER USER %s@'%%' ACCOUNT LOCK"},
	}
	for name, s := range servers {
		t.Run(name, func(t *testing.T) {
			database := s.server(t).Database(t)
			for _, c := range []struct {
				name    string
				change  func(*connectors.Target)
				kind    connectors.Kind
				account connectors.Account
			}{
				{"wrong password", func(to *connectors.Target) { to.Credentials["password"] = connectors.NewSecret("wrong") }, connectors.Answered, ""},
				{"no TLS there", func(to *connectors.Target) { to.Settings["tls"] = "require" }, connectors.Insecure, ""},
				{"locked", func(to *connectors.Target) {
					locked := database.Login(t)
					if _, err := s.server(t).Admin().Exec(fmt.Sprintf(s.lock, locked.Username)); err != nil {
						t.Fatal(err)
					}
					to.Settings["username"], to.Credentials = locked.Username, locked.Credentials()
				}, connectors.Answered, connectors.Locked},
			} {
				t.Run(c.name, func(t *testing.T) {
					target := database.Target()
					c.change(&target)
					conn, err := sqldriver.Driver{}.Open(t.Context(), target)
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = conn.Close() }()
					_, err = conn.Check(t.Context())
					f, ok := errors.AsType[*connectors.Failure](err)
					if !ok || f.Kind != c.kind || f.Account != c.account {
						t.Errorf("%v: kind %q, account %q; want %q, %q", err, f.Kind, f.Account, c.kind, c.account)
					}
				})
			}
		})
	}
}
