package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"gantry/configs"
)

var errOwn = errors.New("the pump is off")

// run runs a small program, and gives what it printed where.
func run(t *testing.T, in string, args ...string) (code int, out, talk string) {
	t.Helper()
	var o, e bytes.Buffer
	f := New(Program{
		Name: "gantry-test", Short: "A test", Long: "It tests.", Version: "1.2.3", Config: "default test.yaml", Folder: "state-dir",
		Classify: func(err error) *Failure {
			if errors.Is(err, errOwn) {
				return &Failure{ExitConflict, err, "Turn it on."}
			}
			return nil
		},
	}, strings.NewReader(in), &o, &e)
	ends := func(use string, do func(cmd *cobra.Command) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: "End so", Args: Args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return do(cmd) }}
	}
	show := &cobra.Command{Use: "show NAME", Short: "Show one", Args: Args(cobra.ExactArgs(1)), RunE: func(_ *cobra.Command, given []string) error {
		f.Answer(map[string]string{"name": given[0]}, given[0], f.ConfigFile)
		f.Say("shown")
		return nil
	}}
	root := f.Root(f.Version(), Group("pump", "Pumps", show),
		ends("own", func(*cobra.Command) error { return errOwn }),
		ends("lost", func(*cobra.Command) error { return fmt.Errorf("read list: %w", fs.ErrNotExist) }),
		ends("told", func(*cobra.Command) error { return Told(ExitFailed) }),
		ends("problems", func(*cobra.Command) error {
			return &configs.Problems{List: []configs.Problem{{File: "a.yaml", What: "bad"}, {File: "a.yaml", What: "worse"}}}
		}),
		ends("slow", func(cmd *cobra.Command) error {
			ctx, cancel := f.Bounded(cmd)
			defer cancel()
			<-ctx.Done()
			return ctx.Err()
		}),
		ends("erase", func(*cobra.Command) error { return f.Confirm("This erases %s.", "it") }),
	)
	code = f.Run(context.Background(), root, args)
	return code, o.String(), e.String()
}

func TestHowCommandsEnd(t *testing.T) {
	for _, tt := range []struct {
		args      string
		code      int
		out, talk string // what must be in it; empty: nothing at all
	}{
		{"version", ExitOK, "gantry-test 1.2.3 (go", ""},
		{"pump show a --config x.yaml", ExitOK, "/x.yaml", "shown"},
		{"pump show a -q", ExitOK, "a", ""},
		{"pump", ExitOK, "Show one", ""},
		{"own", ExitConflict, "", "gantry-test: the pump is off\n  Turn it on.\n"},
		{"own --json", ExitConflict, `"exit": 9`, ""},
		{"told", ExitFailed, "", ""},
		{"problems", ExitConfig, "", "gantry-test:\na.yaml: bad.\na.yaml: worse.\n  Correct the file, then run: gantry-test config check\n"},
		{"slow --timeout 1ms", ExitTimeout, "", "not done within 1ms"},
		{"slow --timeout 0s", ExitUsage, "", "--timeout must be positive"},
		{"slow --timeout soon", ExitUsage, "", "Write a time with its unit"},
		{"owm", ExitUsage, "", "Did you mean: gantry-test own"},
		{"pump shwo", ExitUsage, "", "Did you mean: gantry-test pump show"},
		{"quite-different", ExitUsage, "", "See: gantry-test --help"},
		{"own --confg x", ExitUsage, "", "Did you mean: --config"},
		{"own --json=maybe", ExitUsage, "", `--json cannot be "maybe"`},
		{"own -x", ExitUsage, "", "See: gantry-test own --help"},
		{"lost", ExitFailed, "", "Check the path."},
		{"completion tcsh", ExitUsage, "", `"tcsh" is no command of gantry-test completion`},
		{"own more", ExitUsage, "", "`own` does not take \"more\""},
		{"pump show", ExitUsage, "", "`pump show` needs NAME\n  Usage: gantry-test pump show NAME"},
		{"pump show a b", ExitUsage, "", `does not take "b"`},
		{"erase", ExitUsage, "", "no terminal to ask at: This erases it.\n  To do it: --yes"},
		{"erase --yes", ExitOK, "", ""},
	} {
		t.Run(tt.args, func(t *testing.T) {
			code, out, talk := run(t, "", strings.Fields(tt.args)...)
			if code != tt.code {
				t.Errorf("exits %d, want %d", code, tt.code)
			}
			if !strings.Contains(out, tt.out) || tt.out == "" && out != "" {
				t.Errorf("answer: %q", out)
			}
			if !strings.Contains(talk, tt.talk) || tt.talk == "" && talk != "" {
				t.Errorf("talk: %q", talk)
			}
		})
	}
}

func TestAFailureIsADocument(t *testing.T) {
	_, out, _ := run(t, "", "own", "--json")
	var got Failed
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if want := (Failed{Schema, FailedError{ExitConflict, "the pump is off", "Turn it on."}}); got != want {
		t.Errorf("got %+v", got)
	}
}

func TestHelpHasTheExitCodes(t *testing.T) {
	_, out, _ := run(t, "")
	flat := strings.Join(strings.Fields(out), " ")
	for _, c := range ExitCodes() {
		if strings.Contains(flat, " "+c.Meaning) == c.Reserved {
			t.Errorf("exit code %d (%s): shown is %v", c.Code, c.Meaning, !c.Reserved)
		}
	}
}
