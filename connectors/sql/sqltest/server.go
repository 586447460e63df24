package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// patience bounds the start and the stop of a server: machines that build are slow at times.
const patience = 90 * time.Second

// Server is one running database server; for SQLite, a folder of files. It is safe for concurrent use, but a test that
// stops it must not run beside others that use it.
type Server struct {
	Dialect string // "postgres", "mysql" or "sqlite"
	Host    string // "127.0.0.1"; empty for SQLite
	Port    int

	engine  engine
	folder  string
	admin   *sql.DB
	process *process
	number  numbers
}

// engine is what differs between the database products.
type engine interface {
	// prepare makes the files of a new server in folder.
	prepare(ctx context.Context, folder string, owner account) error
	// command is the program, with its arguments, that serves in the foreground.
	command(folder string, port int) []string
	// admin opens a handle with all rights.
	admin(port int, database string) (*sql.DB, error)
	// user is the account of the operating system to run as when we are root.
	user() string
	// create makes a database with a user that owns it; drop takes both away.
	create(ctx context.Context, admin *sql.DB, database, username, password string) error
	drop(ctx context.Context, admin *sql.DB, database, username string) error
	// login makes a user without rights.
	login(ctx context.Context, admin *sql.DB, username, password string) error
	logout(ctx context.Context, owner *sql.DB, username string) error
}

// Address is where the server listens, host:port.
func (s *Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Admin is a handle with all rights on the server. It is nil for SQLite. The caller must not close it.
func (s *Server) Admin() *sql.DB { return s.admin }

// Stop ends the server at once, as a power cut does. Its files and its port stay.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.process == nil {
		t.Fatalf("sqltest: %s has no server to stop", s.Dialect)
	}
	s.process.stop()
}

// Start starts a stopped server again, on the same port, and waits until it answers. It also undoes a Stop when the
// test ends early: `defer server.Start(t)` is harmless while the server runs.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.start(ctx); err != nil {
		t.Fatalf("sqltest: start %s: %v", s.Dialect, err)
	}
}

func (s *Server) start(ctx context.Context) error {
	if err := s.process.start(s.engine.command(s.folder, s.Port)); err != nil {
		return err
	}
	return s.awaitReady(ctx)
}

// awaitReady asks until the server answers, and gives up early when its process has died.
func (s *Server) awaitReady(ctx context.Context) error {
	for {
		err := s.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("server never became ready: %w\n%s", err, s.process.log())
		case <-s.process.exited():
			return fmt.Errorf("server died while starting: %s", s.process.log())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// launch makes a server from nothing.
func launch(dialect string, e engine) (*Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	owner, err := accountOf(e.user())
	if err != nil {
		return nil, err
	}
	s := &Server{Dialect: dialect, Host: "127.0.0.1", engine: e}
	if s.folder, err = os.MkdirTemp("", "gantry-"+dialect+"-"); err != nil {
		return nil, err
	}
	if s.process, err = newProcess(s.folder, owner); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.folder))
	}
	if err := s.fill(ctx, owner); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *Server) fill(ctx context.Context, owner account) (err error) {
	if err := owner.take(s.folder); err != nil {
		return err
	}
	if err := s.engine.prepare(ctx, s.folder, owner); err != nil {
		return err
	}
	if s.Port, err = freePort(); err != nil {
		return err
	}
	if s.admin, err = s.engine.admin(s.Port, ""); err != nil {
		return err
	}
	return s.start(ctx)
}

// close stops the server for good.
func (s *Server) close() {
	if s.admin != nil {
		_ = s.admin.Close() // the server goes away under it anyhow
	}
	s.process.stop()
	s.process.dismiss()
}

// freePort finds a port that nobody listens on. Another program could take it before the server does: then the server
// dies while starting, and says so.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// numbers gives names that were not used before.
type numbers struct {
	mu   sync.Mutex
	last int
}

func (n *numbers) next() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last++
	return n.last
}
