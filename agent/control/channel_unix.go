//go:build !windows

package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// SocketName is the socket's name in the state folder.
const SocketName = "control.sock"

func socket(stateDir string) string { return filepath.Join(stateDir, SocketName) }

func statusSocket(runtimeDir string) string { return filepath.Join(runtimeDir, "status.sock") }

// maxSocketPath is what every system's sockaddr_un has room for, in bytes.
const maxSocketPath = 103

// errLongPath says in people's words what the system calls an invalid argument.
var errLongPath = errors.New("the path is longer than a socket's may be: choose a shorter state_dir")

// listen opens the socket for this account alone, or for everybody.
func listen(path string, whom audience) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("%s: %w", path, errLongPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	mode := map[audience]fs.FileMode{ours: 0o600, everybodys: 0o666}[whom]
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// dial tells apart why nobody answers.
func dial(ctx context.Context, path string) (net.Conn, error) {
	switch _, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotRunning
	case errors.Is(err, fs.ErrPermission):
		return nil, ErrNoAccess
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, ErrNoAccess
	case ctx.Err() != nil:
		return nil, err
	}
	return nil, ErrNotRunning // the socket of a process that died
}
