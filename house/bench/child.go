package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A relay in a process of its own, so that what it holds and what it works can be told from what its agents do.

// announcement is what the child says once it serves.
type announcement struct {
	URL   string `json:"url"`
	Admin string `json:"admin"`
}

// serveAsChild runs a relay until standard input ends. SIGUSR1 makes it give back what it does not need, so that a
// figure of resident memory is what is held and not what was once used.
func serveAsChild(ctx context.Context, folder, profiles string) error {
	l, err := labFrom(folder)
	if err != nil {
		return err
	}
	defer l.close()
	running, err := l.startRelay(true)
	if err != nil {
		return err
	}
	stopProfile, err := startProfile(profiles, "relay")
	if err != nil {
		return err
	}
	admin, err := organisation(ctx, running.Store())
	if err != nil {
		return err
	}
	tidy := make(chan os.Signal, 1)
	signal.Notify(tidy, syscall.SIGUSR1)
	go func() {
		for n := 0; ; n++ {
			<-tidy
			for range collections {
				debug.FreeOSMemory()
			}
			if err := snapHeap(profiles, fmt.Sprintf("relay-%d", n)); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
			}
		}
	}()
	if err := json.NewEncoder(os.Stdout).Encode(announcement{URL: "https://" + running.Addr(), Admin: admin}); err != nil {
		return err
	}
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // ends with the parent
	return stopProfile()
}

// collections is how many garbage collections it takes until the stacks are as small as they will be: each halves those
// that are not needed any more.
const collections = 4

// child is such a process, seen from outside.
type child struct {
	announcement
	command *exec.Cmd
}

func (l *lab) startChild(profiles string) (*child, error) {
	folder, err := os.MkdirTemp("", "gantry-bench-")
	if err != nil {
		return nil, err
	}
	if _, err := l.files(folder); err != nil {
		return nil, err
	}
	c := &child{command: exec.Command(os.Args[0], "-relay", folder, "-profile", profiles)}
	c.command.Stderr = os.Stderr
	stdin, err := c.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	l.closers = append(l.closers, func() { _ = stdin.Close(); _ = c.command.Wait(); _ = os.RemoveAll(folder) })
	return c, json.NewDecoder(stdout).Decode(&c.announcement)
}

// resident gives the child's memory in bytes, after it tidied up.
func (c *child) resident() (float64, error) {
	if err := c.command.Process.Signal(syscall.SIGUSR1); err != nil {
		return 0, err
	}
	time.Sleep(2 * time.Second)
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.command.Process.Pid), "status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", c.command.Process.Pid)
}

// cpu gives what the child has used, user and system. The kernel counts in hundredths of a second.
func (c *child) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.command.Process.Pid), "stat"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}
