// Package cli is the frame of both command lines: what gantry-agent and gantry-relay share, so that they look and fail
// the same.
//
// A program describes itself (Program), makes a Frame, and hangs its commands below Frame.Root. The frame reads the global
// flags (frame.go), answers for mistyped words and flags (usage.go), prints (print.go, table.go) and ends every command
// with an exit code and, where it failed, with what happened and what to do next (exit.go). Standard output is the
// answer, standard error is talk. With --json the answer is one document, also where the command failed; members are only
// ever added to it. Commands return an error or nil, and print nothing about their own failure.
//
// The package knows no command and no system of either program. It holds no state beyond one run, and no secret.
package cli
