//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// detach keeps the terminal's Ctrl-C from the program: the demo stops it, in order.
func detach(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

const programSuffix = ""

func interrupt(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
