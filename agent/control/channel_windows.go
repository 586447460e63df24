package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// socket names the pipe of a state folder. Pipes have one name space for the machine, so the folder's path goes into it.
func socket(stateDir string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(filepath.Clean(stateDir))))
	return `\\.\pipe\gantry-agent-` + hex.EncodeToString(sum[:8])
}

// statusSocket names the pipe that everybody on the host may ask for the status.
func statusSocket(stateDir string) string { return socket(stateDir) + "-status" }

// talk are the rights to a pipe that its callers need, in Windows' numbers: to read and to write, and not to serve
// another instance of it, which GENERIC_WRITE holds as well.
const talk = 0x0012019b

// listen opens a named pipe for the system, for administrators and for the service's own account, or for everybody on
// the host. The first instance must be ours: a name that another program took before is an error. A pipe refuses callers
// from other machines.
func listen(path string, whom audience) (net.Listener, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("find this process's account: %w", err)
	}
	access := "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;" + user.User.Sid.String() + ")"
	if whom == everybodys {
		access += fmt.Sprintf("(A;;%#x;;;AU)", talk)
	}
	return winio.ListenPipe(path, &winio.PipeConfig{SecurityDescriptor: access})
}

// dial tells apart why nobody answers. The server end cannot act as the caller: go-winio asks for anonymity.
func dial(ctx context.Context, path string) (net.Conn, error) {
	conn, err := winio.DialPipeAccess(ctx, path, talk)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotRunning
	case errors.Is(err, fs.ErrPermission):
		return nil, ErrNoAccess
	}
	return conn, err
}
