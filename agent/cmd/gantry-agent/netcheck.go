package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/agent/doctor"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/tunnel/check"
	"gantry/tunnel/enrol"
	"gantry/tunnel/pki"
)

func (a *app) netcheck() *cobra.Command {
	var file string
	var strict bool
	cmd := &cobra.Command{
		Use: "netcheck [RELAY-URL]", Short: "Check the way to a relay before anything is installed", Args: cli.Args(cobra.MaximumNArgs(1)),
		Long: `Check the way to a relay before anything is installed: name, proxy, connection, TLS,
websocket, and the relay's own proof. It needs the relay's address, the file with the
enrolment token (which is only read, not used up), or an agent that is enrolled here.
It ends with a request that can be sent to the firewall or proxy team as it is.`,
		Example: "  gantry-agent netcheck wss://relay.example.com\n  gantry-agent netcheck --token-file token.txt",
		RunE: func(cmd *cobra.Command, given []string) error {
			road, err := a.netRoad(cmd.Context(), given, file)
			if err != nil {
				return err
			}
			return a.checkNet(cmd, road, strict)
		},
	}
	cmd.Flags().StringVar(&file, "token-file", "", "`file` that holds the enrolment token; - is standard input")
	cmd.Flags().BoolVar(&strict, "strict", false, "exit 12 when there are warnings")
	return cmd
}

// netRoad is the way to the relay that the command line names, or to the agent's own.
func (a *app) netRoad(ctx context.Context, given []string, file string) (doctor.Road, error) {
	config, err := a.load()
	if err != nil && !(a.ConfigFile == "" && errors.Is(err, fs.ErrPermission)) {
		return doctor.Road{}, err
	}
	logger := slog.New(slog.DiscardHandler)
	switch {
	case len(given) == 1 && file != "":
		return doctor.Road{}, cli.Fail(cli.ExitUsage, "Give the address or --token-file.", "both an address and --token-file")
	case len(given) == 1:
		return a.roadTo(config, relayURL(given[0]), pki.Pin{}, logger)
	case file != "":
		token, err := a.readTokenFile(file)
		if err != nil {
			return doctor.Road{}, err
		}
		return a.roadTo(config, token.Relay, token.Pin, logger)
	}
	road := agent.StoredRoad(ctx, config, agent.Options{Version: version, Logger: logger}, thisCommand)
	if road.Relay == "" {
		return road, cli.Fail(cli.ExitUsage, "Give the relay's address: gantry-agent netcheck wss://relay.example.com", "%s", road.NoRelay)
	}
	return road, nil
}

func (a *app) roadTo(config configs.Agent, relay string, pin pki.Pin, logger *slog.Logger) (doctor.Road, error) {
	road, err := agent.RoadTo(config, relay, pin, thisCommand, logger)
	if err != nil {
		return road, err
	}
	if _, _, err := road.Dialer.Way(); err != nil && road.Relay == relay && !strings.Contains(relay, "://") {
		return road, cli.Fail(cli.ExitUsage, "Write it as wss://relay.example.com", "%w", err)
	}
	return road, nil
}

// relayURL takes a bare host, too: people copy it from a mail.
func relayURL(text string) string {
	if strings.Contains(text, "://") {
		return text
	}
	return "wss://" + text
}

func (a *app) readTokenFile(file string) (enrol.Token, error) {
	if file == "-" {
		text, err := readToken(a.In, "standard input")
		if err != nil {
			return enrol.Token{}, err
		}
		return enrol.Parse(text)
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return enrol.Token{}, err
	}
	f, err := os.Open(absolute)
	if err != nil {
		return enrol.Token{}, cli.Fail(cli.ExitUsage, "Check the path given with --token-file.", "open token: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := readToken(f, absolute)
	if err != nil {
		return enrol.Token{}, err
	}
	return enrol.Parse(text)
}

// netDocument is the --json form of `netcheck`: a report, and the request to send.
type netDocument struct {
	check.Report
	Request doctor.Request `json:"request"`
}

func (a *app) checkNet(cmd *cobra.Command, road doctor.Road, strict bool) error {
	report := check.Run(cmd.Context(), road.Network(), check.Options{Program: "gantry-agent", Version: version, Progress: a.progress(), Limit: a.given(cmd)})
	ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Second)
	defer cancel()
	request, err := road.Request(ctx)
	if err != nil && report.Status != check.Failed {
		return err
	}
	if a.JSON {
		a.PrintJSON(netDocument{report, request})
		return cli.Told(reportCode(report, strict))
	}
	a.tell(report)
	if request.Text != "" {
		a.Print("\nTo be sent to the firewall or proxy team:\n\n%s", strings.TrimSuffix(request.Text, "\n"))
	}
	return cli.Told(reportCode(report, strict))
}
