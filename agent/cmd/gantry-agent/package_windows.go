package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/configs/cli"
	"gantry/installer"
	"gantry/tunnel/enrol"
)

// platform are the commands that this platform alone has.
func (a *app) platform() []*cobra.Command {
	group := cli.Group("package", "What the MSI asks of the program", a.packageComplete(), a.packageConnected(), a.packagePurge())
	group.Hidden = true
	return []*cobra.Command{group}
}

// connectTime is how long an installation with STRICT=1 waits for the relay.
const connectTime = 60 * time.Second

func (a *app) packageComplete() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use: "complete", Short: "Prepare folders, configuration and service, and start it", Args: cli.Args(cobra.NoArgs),
		Long: `Prepare folders, configuration and service, and start it. A token is left in the closed state folder;
the service enrols with it when it can reach the relay, so that an installation needs no network.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.completePackage(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.tokenFile, "token-file", "", "`file` that holds the token; it is deleted after use")
	flags.StringVar(&f.relay, "relay", "", "refuse a token of any other relay than this `URL`")
	flags.StringVar(&f.proxy, "proxy", "", "HTTP CONNECT proxy on the way to the relay, as `URL` without a login")
	return cmd
}

func (a *app) completePackage(ctx context.Context, f installFlags) error {
	token, err := a.packageToken(f)
	if err != nil {
		return err
	}
	i, err := installation()
	if err != nil {
		return err
	}
	if err := f.fill(&i); err != nil {
		return err
	}
	record := &steps{app: a}
	if err := i.Completion().Run(ctx, record.tell); err != nil {
		return err
	}
	if token != "" {
		if err := a.leaveToken(i.Spec.Layout.State, token, f.tokenFile); err != nil {
			return err
		}
	}
	return i.Service.Start(ctx) // the MSI would, but knows no other account where this one may not log on
}

// leaveToken gives the service its token, and takes the file that it came from away.
func (a *app) leaveToken(stateDir, token, file string) error {
	if err := agent.WriteTokenFile(stateDir, token); err != nil {
		return err
	}
	if err := os.Remove(file); err != nil {
		a.Say("The service has the token now; delete its file %s yourself.", file)
	}
	return nil
}

// packageToken reads the token, where there is one to read, and looks whether it can be the right one.
func (a *app) packageToken(f installFlags) (string, error) {
	if f.tokenFile == "" {
		return "", nil
	}
	text, err := a.token(nil, f.tokenFile)
	if err != nil {
		return "", err
	}
	token, err := enrol.Parse(text)
	if err != nil {
		return "", err
	}
	return text, f.of(token)
}

func (a *app) packageConnected() *cobra.Command {
	return &cobra.Command{
		Use: "connected", Short: "Wait until the relay sees the agent", Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return (&enroller{app: a, wait: connectTime}).Connected(cmd.Context())
		},
	}
}

func (a *app) packagePurge() *cobra.Command {
	return &cobra.Command{
		Use: "purge", Short: "Remove configuration, keys, logins and logs", Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := installation()
			if err != nil {
				return err
			}
			state, err := i.Service.State(cmd.Context())
			if err != nil {
				return err
			}
			if state.Running {
				return errors.New("the service still runs")
			}
			record := &steps{app: a}
			return i.Erasure().Clear(cmd.Context(), record.tell)
		},
	}
}

func installation() (installer.Installation, error) {
	spec := installer.AgentSpec()
	service, err := installer.NewService(spec)
	return installer.Installation{Spec: spec, Service: service}, err
}
