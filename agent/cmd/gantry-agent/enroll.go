package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/agent/control"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/configs/logfile"
)

// maxToken bounds what is read as a token, in bytes.
const maxToken = 8 << 10

func (a *app) enroll() *cobra.Command {
	var file string
	var keep, force bool
	cmd := &cobra.Command{
		Use: "enroll [TOKEN]", Aliases: []string{"enrol"}, Short: "Make this machine known to the relay, once", Args: cli.Args(cobra.MaximumNArgs(1)),
		Long: `Make this machine known to the relay, once. The cloud side gives the token, which works one time.
Its keys are made here and never leave this machine. Prefer --token-file or standard input: an argument
is visible to every user of this machine while the command runs. The token's file is deleted after use.`,
		Example: "  gantry-agent enroll --token-file token.txt\n  gantry-agent enroll --token-file - < token.txt",
		RunE: func(cmd *cobra.Command, given []string) error {
			token, err := a.token(given, file)
			if err != nil {
				return err
			}
			if err := a.enrolWith(cmd, token, force); err != nil {
				return err
			}
			if file != "" && file != "-" && !keep {
				if err := os.Remove(file); err != nil {
					a.Say("The token is used up; delete its file %s yourself.", file)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "token-file", "", "`file` that holds the token; - is standard input")
	cmd.Flags().BoolVar(&keep, "keep-token-file", false, "do not delete the token's file")
	cmd.Flags().BoolVar(&force, "force", false, "replace the identity that is there; its connections and logins go")
	return cmd
}

// token reads the token from where the command line says.
func (a *app) token(given []string, file string) (string, error) {
	switch {
	case len(given) == 1 && file != "":
		return "", cli.Fail(cli.ExitUsage, "Give the token once.", "both an argument and --token-file")
	case len(given) == 1:
		a.Say("Warning: a token on the command line is visible to others. Use --token-file.")
		return strings.TrimSpace(given[0]), nil
	case file == "-" || file == "" && !cli.Terminal(a.In):
		return readToken(a.In, "standard input")
	case file == "":
		return "", cli.Fail(cli.ExitUsage, "Usage: gantry-agent enroll --token-file FILE", "no token")
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	f, err := os.Open(absolute)
	if err != nil {
		return "", cli.Fail(cli.ExitUsage, "Check the path given with --token-file.", "open token: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	return readToken(f, absolute)
}

func readToken(r io.Reader, from string) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxToken))
	if err != nil {
		return "", fmt.Errorf("read token from %s: %w", from, err)
	}
	if token := strings.TrimSpace(string(raw)); token != "" {
		return token, nil
	}
	return "", cli.Fail(cli.ExitUsage, "Usage: gantry-agent enroll --token-file FILE", "no token in %s", from)
}

// enrolledDocument is the --json form of `enroll`.
type enrolledDocument struct {
	Schema int `json:"schema"`
	control.Enrolled
}

func (a *app) enrolWith(cmd *cobra.Command, token string, force bool) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	done, err := a.enrolAgent(ctx, token, force)
	if err != nil {
		return err
	}
	if a.JSON {
		a.PrintJSON(enrolledDocument{control.Schema, done})
		return nil
	}
	a.Print("Enrolled as %s of site %s, at %s.", done.Agent, done.Site, done.Relay)
	a.Print("Sealing key  %s", done.SealingKey)
	a.Say("The cloud side must show the same sealing key. Next: gantry-agent policy allow target HOST:PORT")
	return nil
}

// enrolAgent lets the running agent enrol: its account, its keys and its way to the relay are those that count. Where
// none runs, and none is installed to run, this process does it.
func (a *app) enrolAgent(ctx context.Context, token string, force bool) (control.Enrolled, error) {
	done, err := a.client().Enrol(ctx, token, force)
	if !errors.Is(err, control.ErrNotRunning) {
		return done, err
	}
	if err := a.mustRunFirst(ctx); err != nil {
		return control.Enrolled{}, err
	}
	config, options, err := a.offline()
	if err != nil {
		return control.Enrolled{}, err
	}
	return agent.Enrol(ctx, config, token, agent.Enrolment{Options: options, Force: force})
}

func (a *app) unenroll() *cobra.Command {
	return &cobra.Command{
		Use: "unenroll", Aliases: []string{"unenrol"}, Short: "Forget the relay, the keys and every login", Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, options, err := a.offline()
			if err != nil {
				return err
			}
			ctx, cancel := a.Bounded(cmd)
			defer cancel()
			id, err := identity(ctx, config.StateDir)
			if err != nil {
				return err
			}
			if err := a.Confirm("This erases the keys of %s and every login.", id.Agent); err != nil {
				return err
			}
			err = a.client().Unenrol(ctx)
			if errors.Is(err, control.ErrNotRunning) {
				if err = a.mustRunFirst(ctx); err == nil {
					err = agent.Unenrol(ctx, config, options)
				}
			}
			if err != nil {
				return err
			}
			if a.JSON {
				a.PrintJSON(unenrolledDocument{control.Schema, id.Agent, true})
				return nil
			}
			a.Print("%s is forgotten here, with every login.", id.Agent)
			a.Say("The cloud side still lists it, as offline, until it is removed there.")
			return nil
		},
	}
}

// offline is the configuration and the options of a command that works without the service. It talks of warnings only.
func (a *app) offline() (configs.Agent, agent.Options, error) {
	config, err := a.load()
	if err != nil {
		return config, agent.Options{}, err
	}
	logger, _, err := logfile.Logger(configs.DefaultLog(), "", a.Level(configs.Log{Level: "warn"}), a.Talk)
	return config, agent.Options{Version: version, Logger: logger}, err
}
