package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/agent/state"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/installer"
)

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how the agent is, on one screen", Args: cli.Args(cobra.NoArgs),
		Long: `Show how the agent is, on one screen. Exit codes: 0 connected, 3 not enrolled, 4 needs an administrator,
5 not running, 6 no session to the relay, 7 refused by the relay.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.Bounded(cmd)
			defer cancel()
			s, err := a.ask(ctx)
			if err != nil {
				return err
			}
			service, err := a.installed(ctx)
			if err != nil {
				return err
			}
			if service != nil && service.Installed && !service.Running && s.State == control.Inaccessible {
				s.State = control.NotRunning // the service manager tells everybody
			}
			if a.JSON {
				a.PrintJSON(statusDocument{s, service})
			} else {
				a.tellStatus(s, service, time.Now())
			}
			return cli.Told(statusCode(s.State))
		},
	}
}

// statusDocument is the --json form of `status`.
type statusDocument struct {
	control.Status
	Service *installer.State `json:"service,omitempty"` // where the agent that is asked about is the installed one
}

// statusCode gives the exit code of a state.
func statusCode(s control.State) int {
	switch s {
	case control.NotEnrolled:
		return cli.ExitNotSetUp
	case control.Inaccessible:
		return cli.ExitElevation
	case control.NotRunning:
		return cli.ExitNotRunning
	case control.Connecting:
		return cli.ExitNetwork
	case control.Refused:
		return cli.ExitRefused
	}
	return cli.ExitOK
}

// ask gives the running agent's status, or what the disk tells when it does not run.
func (a *app) ask(ctx context.Context) (control.Status, error) {
	s, err := a.running(ctx)
	switch {
	case errors.Is(err, control.ErrNotRunning):
		return a.resting(ctx, control.NotRunning)
	case errors.Is(err, control.ErrNoAccess):
		return a.resting(ctx, control.Inaccessible)
	}
	return s, err
}

// resting puts a status together without the service.
func (a *app) resting(ctx context.Context, is control.State) (control.Status, error) {
	config, err := a.load()
	problems, faulty := errors.AsType[*configs.Problems](err)
	if err != nil && !faulty {
		return control.Status{}, err
	}
	s := control.Status{
		Schema: control.Schema, State: is, Version: version, StateDir: config.StateDir, ConfigFile: a.file(),
		Sessions: []control.Session{}, Connections: []control.Connection{},
		Policy: control.Policy{Targets: len(config.Policy.Targets), Paths: len(config.Policy.Paths), Writes: config.Policy.Writes},
	}
	if faulty {
		s.Problem = problems.Error()
	}
	if is == control.Inaccessible {
		return s, nil
	}
	id, err := identity(ctx, config.StateDir)
	switch {
	case errors.Is(err, state.ErrNotEnrolled):
		s.State = control.NotEnrolled
	case errors.Is(err, fs.ErrPermission):
		s.State = control.Inaccessible
	case err != nil:
		return s, err
	default:
		s.Relay.URL = id.Relay
		s.Identity = &control.Identity{Agent: id.Agent, Site: id.Site, Organisation: id.Organisation, EnrolledAt: id.EnrolledAt}
	}
	return s, nil
}

// identity reads who the agent is from its folder, without making one.
func identity(ctx context.Context, stateDir string) (state.Identity, error) {
	if _, err := os.Stat(filepath.Join(stateDir, state.File)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return state.Identity{}, state.ErrNotEnrolled
		}
		return state.Identity{}, err
	}
	db, err := state.Open(ctx, stateDir)
	if err != nil {
		return state.Identity{}, err
	}
	id, err := db.Identity(ctx)
	return id, errors.Join(err, db.Close())
}

// tellStatus prints the one screen: 80 columns, plain ASCII, colour only for the state.
func (a *app) tellStatus(s control.Status, service *installer.State, now time.Time) {
	a.Print("gantry-agent %s: %s%s", s.Version, a.paint(s.State), summary(s, now))
	if s.Problem != "" {
		a.Print("\nThe configuration is faulty%s:\n%s", consequence(s), s.Problem)
	}
	a.Print("")
	if service != nil {
		a.Print("%-12s %s", "Service", serviceLine(*service, now))
		if service.Running && service.Sentence != "" && len(s.Sessions) == 0 {
			a.Print("%-12s %s", "It says", service.Sentence)
		}
	}
	if s.Relay.URL != "" {
		a.Print("%-12s %s%s", "Relay", s.Relay.URL, via(s.Relay))
	}
	for _, session := range s.Sessions {
		a.Print("%-12s %-10s %s", "  "+session.Lane, session.State, sessionDetail(session, now))
	}
	if id := s.Identity; id != nil {
		a.Print("%-12s %s", "Agent", id.Agent)
		a.Print("%-12s %s%s", "Site", id.Site, until(id.CertificateExpiresAt, now))
		if id.SealingKey != "" {
			a.Print("%-12s %s", "Sealing key", id.SealingKey)
		}
	}
	a.Print("%-12s %s, %s, writes %s", "Policy", cli.Count(s.Policy.Targets, "target", "targets"),
		cli.Count(s.Policy.Paths, "folder", "folders"), map[bool]string{true: "on", false: "off"}[s.Policy.Writes])
	a.Print("%-12s %s", "Config", s.ConfigFile)
	a.Print("%-12s %s", "State", s.StateDir)
	if s.State != control.NotRunning && s.State != control.Inaccessible && s.State != control.NotEnrolled {
		a.Print("%-12s %s", "Connections", connectionsSummary(s.Connections))
	}
	if s.UnresolvedWrites > 0 {
		a.Print("%-12s %s of unknown outcome: gantry-agent writes list", "Writes", strconv.Itoa(s.UnresolvedWrites))
	}
	if next := nextStep(s, service); next != "" {
		a.Print("\n%s", next)
	}
}

func summary(s control.Status, now time.Time) string {
	if len(s.Sessions) == 0 {
		return ""
	}
	up := 0
	for _, session := range s.Sessions {
		if session.State == "connected" {
			up++
		}
	}
	text := fmt.Sprintf(", %d of %s", up, cli.Count(len(s.Sessions), "session", "sessions"))
	if !s.StartedAt.IsZero() {
		text += ", running for " + span(now.Sub(s.StartedAt))
	}
	return text
}

// consequence says what a faulty configuration means: a running agent keeps the one before.
func consequence(s control.Status) string {
	switch {
	case s.RefusesAll:
		return ", every call is refused until it is mended"
	case s.State == control.NotRunning, s.State == control.NotEnrolled:
		return ", the agent will not start"
	case s.State == control.Inaccessible:
		return ""
	}
	return ", the one before stays in force"
}

// via tells the proxy and where it is set, or why there is none.
func via(r control.Relay) string {
	text := ""
	switch {
	case r.Proxy != "":
		text = " through proxy " + r.Proxy
		if r.ProxyOrigin != "" {
			text += " (" + r.ProxyOrigin + ")"
		}
	case r.ProxyOrigin != "":
		text = " direct (" + r.ProxyOrigin + ")"
	}
	if r.ProxyProblem != "" {
		text += "; a proxy is set and not used: " + r.ProxyProblem
	}
	return text
}

func until(expires, now time.Time) string {
	switch {
	case expires.IsZero():
		return ""
	case expires.Before(now):
		return ", certificate EXPIRED " + expires.Format("2006-01-02")
	}
	return ", certificate until " + expires.Format("2006-01-02")
}

func sessionDetail(s control.Session, now time.Time) string {
	switch {
	case s.Refusal != "":
		return s.Refusal + ": " + s.LastError
	case s.State == "connected":
		text := "for " + span(now.Sub(s.Since))
		if s.RoundTripMS > 0 {
			text += fmt.Sprintf(", %.0f ms", s.RoundTripMS)
		}
		return text
	case s.LastError != "" && !s.NextTryAt.IsZero():
		return "next try in " + span(max(s.NextTryAt.Sub(now), 0)) + ": " + s.LastError
	}
	return s.LastError
}

func connectionsSummary(all []control.Connection) string {
	failing, partly := 0, 0
	for _, c := range all {
		switch {
		case c.State == "failing":
			failing++
		case len(c.Operations) > 0:
			partly++
		}
	}
	text := strconv.Itoa(len(all))
	if failing > 0 {
		text += fmt.Sprintf(", %d failing", failing)
	}
	if partly > 0 {
		text += fmt.Sprintf(", %d failing in part", partly)
	}
	if failing+partly > 0 {
		text += " (gantry-agent connections list)"
	}
	return text
}

// nextStep says what to do about the state.
func nextStep(s control.Status, service *installer.State) string {
	installed := service != nil && service.Installed
	switch s.State {
	case control.NotEnrolled:
		if s.EnrolmentProblem != "" {
			return "It is not enrolled: " + s.EnrolmentProblem + "\nWhile the relay cannot be reached it tries again. Where it refused the token, get another:\n  gantry-agent enroll --token-file FILE"
		}
		verb := "enroll"
		if service != nil && !installed {
			verb = "install"
		}
		return "It is not enrolled yet. Get a token from the cloud side, then run:\n  gantry-agent " + verb + " --token-file FILE"
	case control.NotRunning:
		if installed {
			return "It does not run. Start it: gantry-agent start"
		}
		return "It does not run. Start it in the foreground: gantry-agent run"
	case control.Inaccessible:
		return "This account may not ask the service. Run the command as an administrator."
	case control.Refused:
		return "The relay refuses this agent, for the reason above. Ask who runs the cloud side;\nafter a revocation, enrol again: gantry-agent enroll --force --token-file FILE"
	case control.Connecting:
		return "No session to the relay is up. The agent keeps trying; the reason stands above."
	}
	return ""
}

// span writes a duration in its largest unit or two.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh %dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// paint colours the state where a person looks at it.
func (a *app) paint(s control.State) string {
	text := map[control.State]string{control.NotEnrolled: "not enrolled", control.NotRunning: "not running", control.Inaccessible: "not accessible"}[s]
	if text == "" {
		text = string(s)
	}
	colour := map[control.State]cli.Colour{control.Connected: cli.Green, control.Degraded: cli.Yellow, control.Connecting: cli.Yellow, control.Draining: cli.Yellow}[s]
	if colour == "" {
		colour = cli.Red
	}
	return a.Paint(colour, text)
}
