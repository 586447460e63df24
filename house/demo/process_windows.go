package main

import (
	"os"
	"os/exec"
)

// detach does nothing: the terminal's Ctrl-C reaches all of its programs.
func detach(*exec.Cmd) {}

const programSuffix = ".exe"

// interrupt ends the program: Windows has no signal that one program may send to another.
func interrupt(p *os.Process) error { return p.Kill() }
