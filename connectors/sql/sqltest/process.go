package sqltest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// watch is the watchdog's program. Each line that it reads is the id of the server's process now, 0 for none. When its
// input ends, because the test binary told it so or died, it stops the last one and removes the folder. QUIT makes
// PostgreSQL end with all its children; MariaDB and what does not listen get KILL.
const watch = `
last=0
while read -r id; do last=$id; done
if [ "$last" -gt 0 ]; then
	kill -QUIT "$last" 2>/dev/null
	for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$last" 2>/dev/null || break; sleep 0.1; done
	kill -KILL "$last" 2>/dev/null && sleep 0.2
fi
rm -rf "$1"
`

// process is the server's process and the watchdog that outlives us.
type process struct {
	folder   string
	owner    account
	watchdog *exec.Cmd
	pipe     io.WriteCloser

	mu     sync.Mutex
	server *exec.Cmd     // nil: not running
	done   chan struct{} // closed when the server has ended
}

func newProcess(folder string, owner account) (*process, error) {
	cmd := exec.Command("/bin/sh", "-c", watch, "watchdog", folder)
	cmd.Dir = "/"
	detach(cmd)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start watchdog: %w", err)
	}
	return &process{folder: folder, owner: owner, watchdog: cmd, pipe: pipe}, nil
}

// start runs the server's program; a server that runs already is left alone.
func (p *process) start(command []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		return nil
	}
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.folder, log, log
	p.owner.run(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", command[0], err)
	}
	p.server, p.done = cmd, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		_ = cmd.Wait() // it was told to end, or its log says why it did
	}(p.done)
	_, err = fmt.Fprintln(p.pipe, cmd.Process.Pid)
	return err
}

// stop ends the server and waits for its end.
func (p *process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return
	}
	_ = quit(p.server.Process) // it may have ended by itself
	<-p.done
	p.server = nil
	_, _ = fmt.Fprintln(p.pipe, 0) // a watchdog that died has nothing left to watch
}

// dismiss lets the watchdog remove the folder, and waits for it.
func (p *process) dismiss() {
	_ = p.pipe.Close()
	_ = p.watchdog.Wait()
}

// exited is closed when the server that runs now has ended.
func (p *process) exited() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

func (p *process) logPath() string { return filepath.Join(p.folder, "server.log") }

// log is the end of what the server wrote.
func (p *process) log() string {
	const most = 4 << 10
	b, err := os.ReadFile(p.logPath())
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(0, len(b)-most):]))
}
