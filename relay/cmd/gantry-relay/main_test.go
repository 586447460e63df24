package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gantry/configs/cli/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gantry-relay": func() { clitest.Main(Main, commandTree(), documents) },
	})
}

// TestScripts runs testdata/*.txtar: what each command prints, where, and how it exits.
func TestScripts(t *testing.T) {
	seen, everyDocument := clitest.Watch(t)
	t.Run("scripts", func(t *testing.T) { runScripts(t, seen) })
	if flag.Lookup("test.run").Value.String() == "" {
		everyDocument(documents)
	}
}

func runScripts(t *testing.T, seen string) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv(clitest.SeenVariable, seen)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":  await,
			"code":   code,
			"keep":   keep,
			"status": requestStatus,
		},
	})
}

// await waits until a file is there: await FILE.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s did not come", args[0])
}

// keep puts the first line of the last command's standard output into a variable: keep NAME.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	out := ts.ReadFile("stdout")
	for i, r := range out {
		if r == '\n' {
			out = out[:i]
			break
		}
	}
	ts.Setenv(args[0], out)
}

// code runs a program and checks its exit code: code N PROGRAM ARGS...
func code(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("%v exits with %d, want %s", args[1:], got, want)
	}
}
