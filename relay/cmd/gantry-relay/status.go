package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/relay/admin"
)

// statusDocument is the --json form of `status`.
type statusDocument struct {
	Schema int `json:"schema"`
	admin.Status
}

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how the relay is, on one screen", Args: cli.Args(cobra.NoArgs),
		Long: "Show how the relay that serves the data folder is. The exit code is 5 where none does.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := a.load()
			if err != nil {
				return err
			}
			ctx, cancel := a.Bounded(cmd)
			defer cancel()
			s, err := admin.NewClient(config.DataDir).Status(ctx)
			if err != nil {
				return err
			}
			if a.JSON {
				a.PrintJSON(statusDocument{schema, s})
				return nil
			}
			a.tellStatus(s)
			return nil
		},
	}
}

func (a *app) tellStatus(s admin.Status) {
	a.Print("gantry-relay %s serves, since %s", s.Version, s.StartedAt.Local().Format(time.DateTime))
	a.Print("")
	rows := [][]string{
		{"URL", s.URL}, {"Listens on", s.Listen}, {"Agents", fmt.Sprintf("%d connected, %s", s.Agents, cli.Count(s.Sessions, "session", "sessions"))},
		{"Organisations", fmt.Sprint(s.Organisations)}, {"Data", fmt.Sprintf("%s, database %s", s.DataDir, size(s.DatabaseBytes))},
	}
	if s.Metrics != "" {
		rows = append(rows, []string{"Metrics", s.Metrics})
	}
	if s.DiskFreeBytes > 0 {
		rows = append(rows, []string{"Disk", size(s.DiskFreeBytes) + " free"})
	}
	for _, problem := range s.Problems {
		rows = append(rows, []string{"Problem", problem})
	}
	a.Rows("", rows)
}

// size writes a number of bytes with the unit that people would use.
func size(n int64) string {
	if n >= 10<<30 {
		return fmt.Sprintf("%.0f GB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
