package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const adminPassword = "throw-away"

// postgres is the engine for PostgreSQL; bin is the folder of its programs.
type postgres struct{ bin string }

// findPostgres looks at the path, and where Debian keeps each major version.
func findPostgres() (engine, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return postgres{filepath.Dir(real)}, nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("PostgreSQL is not installed (initdb): %w", exec.ErrNotFound)
	}
	return postgres{filepath.Dir(found[len(found)-1])}, nil
}

func (postgres) user() string { return "postgres" }

func (p postgres) prepare(ctx context.Context, folder string, owner account) error {
	password := filepath.Join(folder, "password")
	if err := os.WriteFile(password, []byte(adminPassword), 0o600); err != nil {
		return err
	}
	if err := owner.take(password); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "initdb"), "--pgdata", filepath.Join(folder, "data"),
		"--username", "admin", "--pwfile", password, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--locale", "C", "--no-sync")
	return output(cmd, folder, owner)
}

func (p postgres) command(folder string, port int) []string {
	return []string{filepath.Join(p.bin, "postgres"), "-D", filepath.Join(folder, "data"),
		"-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", "", "-F", "-c", "max_connections=100", "-c", "shared_buffers=32MB"}
}

func (postgres) admin(port int, database string) (*sql.DB, error) {
	if database == "" {
		database = "postgres"
	}
	config, err := pgx.ParseConfig(fmt.Sprintf("host=127.0.0.1 port=%d user=admin password=%s dbname=%s sslmode=disable",
		port, adminPassword, database))
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config), nil
}

func (p postgres) create(ctx context.Context, admin *sql.DB, database, username, password string) error {
	if err := p.login(ctx, admin, username, password); err != nil {
		return err
	}
	if _, err := admin.ExecContext(ctx, fmt.Sprintf(`CREATE DATABASE %s OWNER %s`, database, username)); err != nil {
		return err
	}
	// What the tests create must belong to the user, not to the admin who creates it.
	_, err := admin.ExecContext(ctx, fmt.Sprintf(`ALTER ROLE admin IN DATABASE %s SET role = %s`, database, username))
	return err
}

func (postgres) drop(ctx context.Context, admin *sql.DB, database, username string) error {
	if _, err := admin.ExecContext(ctx, fmt.Sprintf(`DROP DATABASE IF EXISTS %s WITH (FORCE)`, database)); err != nil {
		return err
	}
	_, err := admin.ExecContext(ctx, fmt.Sprintf(`DROP USER IF EXISTS %s`, username))
	return err
}

func (postgres) login(ctx context.Context, admin *sql.DB, username, password string) error {
	_, err := admin.ExecContext(ctx, fmt.Sprintf(`CREATE USER %s PASSWORD '%s'`, username, password))
	return err
}

func (postgres) logout(ctx context.Context, owner *sql.DB, username string) error {
	_, err := owner.ExecContext(ctx, fmt.Sprintf(`DROP OWNED BY %[1]s; DROP USER %[1]s`, username))
	return err
}

// output runs a program that prepares a server, and puts what it said into the error.
func output(cmd *exec.Cmd, folder string, owner account) error {
	cmd.Dir = folder
	owner.run(cmd)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, said)
	}
	return nil
}
