package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/agent/policy/edit"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/installer"
	"gantry/tunnel/enrol"
)

// installFlags are what `install` is told.
type installFlags struct {
	tokenFile, relay, proxy, caFile string
	targets                         []string
	keep, dryRun, later             bool
	wait                            time.Duration
}

func (a *app) install() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use: "install [TOKEN]", Short: "Make the agent a service of this machine, enrolled and connected", Args: cli.Args(cobra.MaximumNArgs(1)),
		Long: `Make the agent a service of this machine, enrolled and connected. It shows each step, takes everything back when
one fails, and succeeds only when the relay sees the agent. Run it again to repair an installation. Where a package
has brought the service, it only enrols and starts it. Prefer --token-file: an argument is visible to others.`,
		Example: "  gantry-agent install --token-file token.txt --allow db.plant.local:5432\n  gantry-agent install --dry-run",
		RunE:    func(cmd *cobra.Command, given []string) error { return a.runInstall(cmd, given, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.tokenFile, "token-file", "", "`file` that holds the token; - is standard input; it is deleted after use")
	flags.BoolVar(&f.keep, "keep-token-file", false, "do not delete the token's file")
	flags.StringVar(&f.relay, "relay", "", "refuse a token of any other relay than this `URL`")
	flags.StringVar(&f.proxy, "proxy", "", "HTTP CONNECT proxy on the way to the relay, as `URL` without a login")
	flags.StringVar(&f.caFile, "ca-file", "", "more certificate authorities, PEM `file`, for a proxy that inspects TLS")
	flags.StringArrayVar(&f.targets, "allow", nil, "allow connectors to open this `HOST:PORT`; may be repeated")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show the steps, and do nothing")
	flags.BoolVar(&f.later, "no-enroll", false, "only install: the service waits for gantry-agent enroll")
	flags.DurationVar(&f.wait, "wait", time.Minute, "how long the relay has to see the agent")
	return cmd
}

func (a *app) runInstall(cmd *cobra.Command, given []string, f installFlags) error {
	if !a.isService() {
		return cli.Fail(cli.ExitUsage, "Leave --config and --state-dir away; for an agent of your own: gantry-agent run", "a service has its own configuration and state folder")
	}
	ctx, stop := cli.UntilSignal(cmd.Context(), func() { a.Say("Interrupted; taking the steps back.") })
	defer stop()
	service, err := installer.NewService(installer.AgentSpec())
	if err != nil && !errors.Is(err, installer.ErrNoManager) {
		return err
	}
	state, err := service.State(ctx)
	if err != nil {
		return err
	}
	i := installer.Installation{Spec: installer.AgentSpec(), Service: service, Enrol: !f.later}
	if err := f.fill(&i); err != nil {
		return err
	}
	if f.dryRun {
		a.tellPlan(i.Plan(state.Packaged))
		return nil
	}
	if err := i.Check(ctx); err != nil {
		return err
	}
	if i.Source, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	e := &enroller{app: a, wait: f.wait}
	if err := a.tokenFor(ctx, e, given, f); err != nil {
		return err
	}
	i.Enroller = e
	record := &steps{app: a}
	if err := i.Plan(state.Packaged).Run(ctx, record.tell); err != nil {
		return err
	}
	if f.tokenFile != "" && f.tokenFile != "-" && !f.keep && e.used {
		if err := os.Remove(f.tokenFile); err != nil {
			a.Say("The token is used up; delete its file %s yourself.", f.tokenFile)
		}
	}
	return a.tellInstalled(ctx, record, f)
}

// tokenFor reads the token that the installation needs: none for a repair, and none to enrol later.
func (a *app) tokenFor(ctx context.Context, e *enroller, given []string, f installFlags) error {
	if f.later {
		return nil
	}
	if len(given) == 0 && f.tokenFile == "" {
		if s, err := a.ask(ctx); err == nil && s.Identity != nil {
			return nil // it is enrolled: this is a repair
		}
		return cli.Fail(cli.ExitUsage, "Get a token from the cloud side, then: gantry-agent install --token-file FILE\nTo enrol later: gantry-agent install --no-enroll", "no token")
	}
	text, err := a.token(given, f.tokenFile)
	if err != nil {
		return err
	}
	token, err := enrol.Parse(text)
	if err != nil {
		return err
	}
	e.token = text
	return f.of(token)
}

// of refuses a token of another relay than the one that is meant.
func (f installFlags) of(token enrol.Token) error {
	if f.relay != "" && !sameRelay(f.relay, token.Relay) {
		return cli.Fail(cli.ExitUsage, "Ask for a token of that relay.", "the token is of %s, not of %s", token.Relay, f.relay)
	}
	return nil
}

// sameRelay compares relays as people write them: with or without a slash at the end, by the name of the API or of the
// tunnel.
func sameRelay(a, b string) bool {
	plain := strings.NewReplacer("wss://", "https://", "ws://", "http://")
	return strings.EqualFold(strings.TrimRight(plain.Replace(a), "/"), strings.TrimRight(plain.Replace(b), "/"))
}

// fill gives the installation what the flags say of the way to the relay and of the policy. What is in agent.yaml besides
// stays as it is.
func (f installFlags) fill(i *installer.Installation) error {
	caFile := ""
	if f.caFile != "" {
		var err error
		if i.Authorities, err = authorities(f.caFile); err != nil {
			return err
		}
		caFile = i.Spec.Layout.CAFile()
	}
	file := i.Spec.Layout.Config
	i.Configure = func(current []byte) ([]byte, error) {
		data := current
		if data == nil {
			data = []byte(configs.AgentSample)
		}
		var err error
		if f.proxy != "" || caFile != "" {
			if data, err = edit.Way(file, data, f.proxy, caFile); err != nil {
				return nil, err
			}
		}
		for _, target := range f.targets {
			if data, _, err = edit.Apply(file, data, edit.Change{Allow: true, Kind: edit.Target, Value: target}); err != nil {
				return nil, err
			}
		}
		return data, nil
	}
	return nil
}

// maxAuthorities bounds what is read as certificate authorities, in bytes.
const maxAuthorities = 1 << 20

// authorities reads a file of certificates.
func authorities(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cli.Fail(cli.ExitUsage, "Check the path given with --ca-file.", "open certificate authorities: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	pem, err := io.ReadAll(io.LimitReader(f, maxAuthorities))
	if err != nil {
		return nil, fmt.Errorf("read certificate authorities: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return nil, cli.Fail(cli.ExitUsage, "Export the proxy's root certificate as PEM (BEGIN CERTIFICATE).", "%s holds no certificate in PEM", path)
	}
	return pem, nil
}

func (a *app) tellPlan(plan installer.Plan) {
	document := planDocument{Schema: control.Schema, Plan: []stepLine{}}
	var lines []string
	for _, step := range plan {
		document.Plan = append(document.Plan, stepLine{Name: step.Name, Line: step.Line})
		lines = append(lines, step.Line)
	}
	a.Answer(document, lines...)
}

// stepLine is a step in a --json document.
type stepLine struct {
	Name    string            `json:"name"`
	Line    string            `json:"line"`
	Outcome installer.Outcome `json:"outcome,omitempty"`
}

// steps tells the progress of a plan, and keeps it.
type steps struct {
	*app
	all []stepLine
}

func (s *steps) tell(e installer.Event) {
	if e.Outcome == installer.Begun {
		return
	}
	s.all = append(s.all, stepLine{e.Step.Name, e.Step.Line, e.Outcome})
	word := map[installer.Outcome]string{
		installer.Done: "done", installer.Already: "was so", installer.Failed: "FAILED", installer.Undone: "undone", installer.NotUndone: "NOT UNDONE",
	}[e.Outcome]
	s.Say("  %-10s %s", word, e.Step.Line)
}

// installedDocument is the --json form of `install`.
type installedDocument struct {
	Schema    int              `json:"schema"`
	Installed bool             `json:"installed"`
	Steps     []stepLine       `json:"steps"`
	Service   *installer.State `json:"service,omitempty"`
	Status    control.Status   `json:"status"`
}

func (a *app) tellInstalled(ctx context.Context, s *steps, f installFlags) error {
	status, err := a.ask(ctx)
	if err != nil {
		return err
	}
	state, err := a.installed(ctx)
	if err != nil {
		return err
	}
	if a.JSON {
		a.PrintJSON(installedDocument{control.Schema, true, s.all, state, status})
		return nil
	}
	switch {
	case f.later && status.Identity == nil:
		a.Print("Installed. It waits for: gantry-agent enroll --token-file FILE")
	case status.Identity != nil:
		a.Print("Installed. %s of site %s is connected to %s.", status.Identity.Agent, status.Identity.Site, status.Relay.URL)
		a.Print("Sealing key  %s", status.Identity.SealingKey)
		a.Say("The cloud side must show the same sealing key.")
	}
	if status.Policy.Targets+status.Policy.Paths == 0 {
		a.Say("Nothing is allowed yet. Next: gantry-agent policy allow target HOST:PORT")
	}
	return nil
}
