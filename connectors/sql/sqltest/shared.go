package sqltest

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// shared holds the servers of this test binary. It is the one variable of the package that changes: tests of one binary
// have no other place to share a server that takes seconds to start.
var shared = struct {
	postgres, mariadb lazy
}{}

// lazy is a server that starts when it is first asked for.
type lazy struct {
	once   sync.Once
	server *Server
	err    error
}

func (l *lazy) get(t testing.TB, dialect string, find func() (engine, error)) *Server {
	t.Helper()
	l.once.Do(func() {
		var e engine
		if e, l.err = find(); l.err == nil {
			l.server, l.err = launch(dialect, e)
		}
	})
	if errors.Is(l.err, exec.ErrNotFound) {
		lacking(t, l.err)
	}
	if l.err != nil {
		t.Fatalf("sqltest: %s: %v", dialect, l.err)
	}
	return l.server
}

// lacking skips a test whose server is not installed, unless everything is asked for.
func lacking(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("GANTRY_REQUIRE_ALL") != "" {
		t.Fatalf("sqltest: GANTRY_REQUIRE_ALL is set, but: %v", err)
	}
	t.Skipf("sqltest: %v", err)
}

// Postgres gives the PostgreSQL server of this test binary.
func Postgres(t testing.TB) *Server {
	t.Helper()
	return shared.postgres.get(t, "postgres", findPostgres)
}

// MariaDB gives the MariaDB server of this test binary.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	return shared.mariadb.get(t, "mysql", findMariaDB)
}

// SQLite gives a folder for database files that lives as long as the test.
func SQLite(t testing.TB) *Server {
	t.Helper()
	return &Server{Dialect: "sqlite", folder: t.TempDir()}
}

// Main runs the tests of a package, stops the servers that they started, and exits. It is for a package that wants no
// server to outlive it by even a moment:
//
//	func TestMain(m *testing.M) { sqltest.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	for _, l := range []*lazy{&shared.postgres, &shared.mariadb} {
		if l.server != nil {
			l.server.close()
		}
	}
	os.Exit(code)
}
