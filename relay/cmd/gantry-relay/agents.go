package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/tunnel/check"
)

// agentDocument is the --json form of `agents show`.
type agentDocument struct {
	Schema int `json:"schema"`
	agent
}

// fileDocument is the --json form of `agents bundle`.
type fileDocument struct {
	Schema int    `json:"schema"`
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
}

func (a *app) agents() *cobra.Command {
	var org string
	group := cli.Group("agents", "Show, diagnose and revoke the agents in the plants",
		a.agentsList(&org), a.agentsShow(&org), a.agentsDiagnose(&org), a.agentsBundle(&org), a.agentsLogs(&org), a.agentsRevoke(&org))
	a.ofOrg(group, &org)
	return group
}

func (a *app) agentsList(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the agents of all sites", Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				all, err := r.agents(ctx)
				if err != nil {
					return err
				}
				switch {
				case a.JSON:
					a.PrintJSON(list[agent]{schema, all})
				case len(all) == 0:
					a.Print("No agents. For one: gantry-relay sites create NAME")
				default:
					a.agentTable(all)
				}
				return nil
			})
		},
	}
}

func (a *app) agentTable(all []agent) {
	rows := make([][]string, len(all))
	for i, one := range all {
		rows[i] = []string{one.Hostname, one.State, one.Version, one.since(), one.ID}
	}
	a.Table([]string{"HOST", "STATE", "VERSION", "SINCE", "ID"}, rows)
}

// since is the time that belongs to the state.
func (a agent) since() string {
	at := a.LastSeenAt
	if a.State == "connected" {
		at = a.ConnectedSince
	}
	if at.IsZero() {
		return "never"
	}
	return at.Local().Format("2006-01-02 15:04")
}

func (a *app) agentsShow(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "show AGENT", Short: "Show an agent, by its id or its host's name", Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				one, err := r.agent(ctx, given[0])
				if err != nil {
					return err
				}
				if a.JSON {
					a.PrintJSON(agentDocument{schema, one})
					return nil
				}
				rows := [][]string{
					{"Agent", one.ID}, {"Site", one.Site}, {"Host", one.Hostname + ", " + one.OS}, {"Version", one.Version},
					{"State", one.State + " since " + one.since()}, {"Certificate", "until " + one.CertificateExpiresAt.Local().Format(time.DateOnly)},
				}
				if one.RoundTripMS > 0 {
					rows = append(rows, []string{"Round trip", fmt.Sprintf("%.1f ms", one.RoundTripMS)})
				}
				a.Rows("", rows)
				return nil
			})
		},
	}
}

// diagnosisTime is what a diagnosis may take where --timeout does not say.
const (
	diagnosisTime = 40 * time.Second
	deepTime      = 3 * time.Minute
)

func (a *app) agentsDiagnose(org *string) *cobra.Command {
	var deep bool
	cmd := &cobra.Command{
		Use: "diagnose AGENT", Short: "Run an agent's doctor from here", Args: cli.Args(cobra.ExactArgs(1)),
		Long: `Run an agent's doctor from here: the same report as gantry-agent doctor gives on its machine. The plant must
have let support in there: gantry-agent support on. The exit code is 1 where a check failed.`,
		RunE: func(cmd *cobra.Command, given []string) error {
			limit := diagnosisTime
			if deep {
				limit = deepTime
			}
			return a.patiently(cmd, *org, limit, func(ctx context.Context, r remote) error {
				one, err := r.agent(ctx, given[0])
				if err != nil {
					return err
				}
				report, err := call[check.Report](ctx, r, http.MethodPost, one.path()+"/diagnose", map[string]bool{"deep": deep})
				if err != nil {
					return err
				}
				return a.tellReport(report, false)
			})
		},
	}
	cmd.Flags().BoolVar(&deep, "deep", false, "also measure throughput, and whether a quiet session holds (two minutes)")
	return cmd
}

// patiently is remotely for what takes longer than other commands; --timeout still wins.
func (a *app) patiently(cmd *cobra.Command, org string, limit time.Duration, do func(context.Context, remote) error) error {
	if cmd.Flags().Changed("timeout") {
		limit = a.Timeout
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), limit)
	defer cancel()
	return a.onRemote(ctx, org, func(r remote) error { return do(ctx, r) })
}

// tellReport prints a report, and gives the exit code of what was found.
func (a *app) tellReport(report check.Report, strict bool) error {
	if a.JSON {
		a.PrintJSON(report)
	} else {
		var b strings.Builder
		_ = check.WriteText(&b, report, check.Style{Verbose: a.Verbose}) // a Builder takes everything
		a.Print("%s", strings.TrimSuffix(b.String(), "\n"))
	}
	switch {
	case report.Status == check.Failed:
		return cli.Told(cli.ExitFailed)
	case report.Status == check.Warned && strict:
		return cli.Told(cli.ExitWarnings)
	}
	return nil
}

func (a *app) agentsBundle(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "bundle AGENT FILE", Short: "Fetch an agent's support bundle into a new file", Args: cli.Args(cobra.ExactArgs(2)),
		Long: "Fetch an agent's support bundle, a zip, into a new file. The plant must have let support in there: gantry-agent support on.",
		RunE: func(cmd *cobra.Command, given []string) error {
			file, err := filepath.Abs(given[1])
			if err != nil {
				return err
			}
			return a.patiently(cmd, *org, deepTime, func(ctx context.Context, r remote) error {
				if _, err := os.Lstat(file); err == nil { // said before the plant's machine works for it
					return &fs.PathError{Op: "write bundle", Path: file, Err: fs.ErrExist}
				}
				one, err := r.agent(ctx, given[0])
				if err != nil {
					return err
				}
				size, err := r.fetch(ctx, one, file)
				if err != nil {
					return err
				}
				a.Answer(fileDocument{schema, file, size}, file)
				return nil
			})
		},
	}
}

// fetch writes a bundle to a file that does not exist yet, whole or not at all.
func (r remote) fetch(ctx context.Context, one agent, file string) (int64, error) {
	response, err := r.client.API(ctx, r.organisation, http.MethodPost, one.path()+"/bundle", nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("write bundle: %w", err)
	}
	size, err := io.Copy(out, response.Body)
	if err = errors.Join(err, out.Close()); err != nil {
		return 0, fmt.Errorf("write bundle to %s: %w", file, errors.Join(err, os.Remove(file)))
	}
	return size, nil
}

func (a *app) agentsLogs(org *string) *cobra.Command {
	var lines int
	var follow bool
	cmd := &cobra.Command{
		Use: "logs AGENT", Short: "Show an agent's log, as its machine has it", Args: cli.Args(cobra.ExactArgs(1)),
		Long: `Show the log of an agent that runs as a service. The plant must have let support in there:
gantry-agent support on.`,
		Example: `  gantry-relay agents logs mes-01 -n 50 -f`,
		RunE: func(cmd *cobra.Command, given []string) error {
			ctx := cmd.Context()
			if !follow {
				var cancel context.CancelFunc
				ctx, cancel = a.Bounded(cmd)
				defer cancel()
			}
			ctx, stop := cli.UntilSignal(ctx, nil)
			defer stop()
			return a.onRemote(ctx, *org, func(r remote) error {
				one, err := r.agent(ctx, given[0])
				if err != nil {
					return err
				}
				response, err := r.client.API(ctx, r.organisation, http.MethodGet, fmt.Sprintf("%s/logs?lines=%d&follow=%t", one.path(), lines, follow), nil)
				if err != nil {
					return err
				}
				defer response.Body.Close() //nolint:errcheck // it was only read
				shown, err := io.Copy(a.Out, response.Body)
				if shown == 0 && err == nil {
					a.Say("The agent has no log: it writes one as a service.")
				}
				if cmd.Context().Err() == nil && ctx.Err() != nil && follow {
					return nil // Ctrl-C ends it
				}
				return err
			})
		},
	}
	cmd.Flags().IntVarP(&lines, "lines", "n", 200, "how many of the last lines")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new lines until Ctrl-C")
	return cmd
}

func (a *app) agentsRevoke(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "revoke AGENT", Short: "Shut an agent out, at once and for ever", Args: cli.Args(cobra.ExactArgs(1)),
		Long: `Shut an agent out, at once and for ever: for a machine that is lost or taken out of service. Its sessions end, and its
connections answer AGENT_OFFLINE until they are disconnected. To bring the machine back, enrol it again with a new token.`,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.end(cmd, *org, func(ctx context.Context, r remote) (doomed, error) {
				one, err := r.agent(ctx, given[0])
				return doomed{
					id: one.ID, path: one.path(), ended: one.ID + " is revoked.",
					warning: fmt.Sprintf("The agent on %s is shut out, for ever; its connections have no agent then.", one.Hostname),
				}, err
			})
		},
	}
}
