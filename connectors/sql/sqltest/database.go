package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"gantry/connectors"

	_ "modernc.org/sqlite" // the driver of the SQLite handle
)

// Database is one empty database of a server, with a user that owns it. It is dropped when its test ends.
type Database struct {
	Server   *Server
	Name     string // for SQLite the path of the file
	Username string // empty for SQLite
	Password string

	// DB is a handle with all rights in the database; the test need not close it.
	DB *sql.DB
}

// Database makes a database for one test and runs the statements in it.
func (s *Server) Database(t testing.TB, statements ...string) *Database {
	t.Helper()
	d := s.newDatabase(t)
	for _, statement := range statements {
		d.Run(t, statement)
	}
	return d
}

func (s *Server) newDatabase(t testing.TB) *Database {
	t.Helper()
	name := fmt.Sprintf("plant_%d", s.number.next())
	if s.Dialect == "sqlite" {
		return s.newFile(t, name)
	}
	d := &Database{Server: s, Name: name, Username: name + "_owner", Password: "correct"}
	t.Cleanup(func() { d.drop(t) })
	err := s.engine.create(t.Context(), s.admin, d.Name, d.Username, d.Password)
	if err == nil {
		d.DB, err = s.engine.admin(s.Port, d.Name)
	}
	if err != nil {
		t.Fatalf("sqltest: create a database in %s: %v", s.Dialect, err)
	}
	return d
}

func (s *Server) newFile(t testing.TB, name string) *Database {
	t.Helper()
	path := filepath.Join(s.folder, name+".sqlite")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_pragma=foreign_keys(1)")
	if err == nil {
		err = db.PingContext(t.Context())
	}
	if err != nil {
		t.Fatalf("sqltest: create %s: %v", path, err)
	}
	t.Cleanup(func() { _ = db.Close() }) // the folder goes away with the test
	return &Database{Server: s, Name: path, DB: db}
}

func (d *Database) drop(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if d.DB != nil {
		_ = d.DB.Close() // what it held ends with the database
	}
	d.Server.Start(t)
	if err := d.Server.engine.drop(ctx, d.Server.admin, d.Name, d.Username); err != nil {
		t.Errorf("sqltest: drop database %s: %v", d.Name, err)
	}
}

// Run executes one or more statements with all rights.
func (d *Database) Run(t testing.TB, statements string) {
	t.Helper()
	if _, err := d.DB.ExecContext(t.Context(), statements); err != nil {
		t.Fatalf("sqltest: %v\n%s", err, statements)
	}
}

// Login makes one more user, who may do only what grants say: each is a statement with the verb %s in the place of the
// user, for example `GRANT SELECT ON po TO %s`. The database that it gives has the user's name and password.
func (d *Database) Login(t testing.TB, grants ...string) *Database {
	t.Helper()
	s := d.Server
	limited := *d
	limited.Username, limited.Password = fmt.Sprintf("plant_login_%d", s.number.next()), "limited"
	if err := s.engine.login(t.Context(), s.admin, limited.Username, limited.Password); err != nil {
		t.Fatalf("sqltest: create user: %v", err)
	}
	t.Cleanup(func() {
		_ = s.engine.logout(context.Background(), d.DB, limited.Username) // the server is a throw-away one
	})
	for _, grant := range grants {
		if _, err := d.DB.ExecContext(t.Context(), fmt.Sprintf(grant, limited.Username)); err != nil {
			t.Fatalf("sqltest: %s: %v", grant, err)
		}
	}
	return &limited
}

// Settings are the members of the sql base layers' login forms that are no secret.
func (d *Database) Settings() map[string]any {
	if d.Server.Dialect == "sqlite" {
		return map[string]any{"path": d.Name}
	}
	return map[string]any{"host": d.Server.Host, "port": d.Server.Port, "database": d.Name, "username": d.Username, "tls": "disable"}
}

// Credentials are the secret members.
func (d *Database) Credentials() map[string]connectors.Secret {
	if d.Server.Dialect == "sqlite" {
		return nil
	}
	return map[string]connectors.Secret{"password": connectors.NewSecret(d.Password)}
}

// Target is how a driver reaches the database, with a dialer and a path check that refuse nothing.
func (d *Database) Target() connectors.Target {
	return connectors.Target{
		Dialect: d.Server.Dialect, Settings: d.Settings(), Credentials: d.Credentials(),
		Limits: connectors.Limits{Concurrency: 4, Timeout: 30 * time.Second, PageSize: 500},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
		OpenPath: func(path string) (string, error) { return path, nil },
		Logger:   slog.New(slog.DiscardHandler),
	}
}
