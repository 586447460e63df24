package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/go-sql-driver/mysql"
)

// mariadb is the engine for MariaDB.
type mariadb struct{ server, install string }

// findMariaDB looks at the path, and where Debian keeps a server's programs.
func findMariaDB() (engine, error) {
	server, err := find("mariadbd", "/usr/sbin/mariadbd")
	if err != nil {
		return nil, err
	}
	install, err := find("mariadb-install-db", "/usr/bin/mariadb-install-db")
	if err != nil {
		return nil, err
	}
	return mariadb{server, install}, nil
}

func find(name, place string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	if path, err := exec.LookPath(place); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("MariaDB is not installed (%s): %w", name, exec.ErrNotFound)
}

func (mariadb) user() string { return "mysql" }

func (m mariadb) prepare(ctx context.Context, folder string, owner account) error {
	grants := filepath.Join(folder, "grants.sql")
	statements := fmt.Sprintf("CREATE USER IF NOT EXISTS admin@'%%' IDENTIFIED BY '%s';\n"+
		"GRANT ALL ON *.* TO admin@'%%' WITH GRANT OPTION;\nDROP USER IF EXISTS ''@'localhost';\n", adminPassword)
	if err := os.WriteFile(grants, []byte(statements), 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, m.install, "--no-defaults", "--datadir="+filepath.Join(folder, "data"),
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	return output(cmd, folder, owner)
}

func (m mariadb) command(folder string, port int) []string {
	return []string{m.server, "--no-defaults", "--datadir=" + filepath.Join(folder, "data"),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port), "--socket=" + filepath.Join(folder, "socket"),
		"--pid-file=" + filepath.Join(folder, "pid"), "--init-file=" + filepath.Join(folder, "grants.sql"),
		"--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--performance-schema=OFF",
		"--character-set-server=utf8mb4", "--skip-log-bin"}
}

func (mariadb) admin(port int, database string) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", "127.0.0.1:"+strconv.Itoa(port)
	config.User, config.Passwd, config.DBName = "admin", adminPassword, database
	config.MultiStatements, config.ParseTime = true, true
	config.Logger = &mysql.NopLogger{} // it would tell of every attempt while the server starts
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func (m mariadb) create(ctx context.Context, admin *sql.DB, database, username, password string) error {
	if err := m.login(ctx, admin, username, password); err != nil {
		return err
	}
	_, err := admin.ExecContext(ctx, fmt.Sprintf("CREATE DATABASE %[1]s; GRANT ALL ON %[1]s.* TO %[2]s@'%%'", database, username))
	return err
}

func (m mariadb) drop(ctx context.Context, admin *sql.DB, database, username string) error {
	_, err := admin.ExecContext(ctx, fmt.Sprintf("DROP DATABASE IF EXISTS %s; DROP USER IF EXISTS %s@'%%'", database, username))
	return err
}

func (mariadb) login(ctx context.Context, admin *sql.DB, username, password string) error {
	_, err := admin.ExecContext(ctx, fmt.Sprintf("CREATE USER %s@'%%' IDENTIFIED BY '%s'", username, password))
	return err
}

func (mariadb) logout(ctx context.Context, owner *sql.DB, username string) error {
	_, err := owner.ExecContext(ctx, fmt.Sprintf("DROP USER IF EXISTS %s@'%%'", username))
	return err
}
