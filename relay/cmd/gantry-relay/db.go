package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"gantry/configs"
	"gantry/configs/cli"
	recordfile "gantry/relay/records/sqlite"
	"gantry/relay/store/sqlite"
)

// checkDocument is the --json form of `db check`.
type checkDocument struct {
	Schema   int      `json:"schema"`
	OK       bool     `json:"ok"`
	Problems []string `json:"problems"`
}

// backupDocument is the --json form of `db backup`.
type backupDocument struct {
	Schema int    `json:"schema"`
	File   string `json:"file"`
}

func (a *app) db() *cobra.Command {
	return cli.Group("db", "Check and back up the database, also while the relay serves", a.dbCheck(), a.dbBackup())
}

func (a *app) dbCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Look for damage in the database", Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := a.existing()
			if err != nil {
				return err
			}
			ctx, cancel := a.Bounded(cmd)
			defer cancel()
			found, err := sqlite.Check(ctx, config.DataDir)
			if err != nil {
				return err
			}
			synced, err := recordfile.Check(ctx, config.DataDir)
			if err != nil {
				return err
			}
			found = append(found, synced...)
			if len(found) == 0 {
				a.Answer(checkDocument{schema, true, []string{}}, "The database is whole.")
				return nil
			}
			a.Answer(checkDocument{schema, false, found}, found...)
			return cli.Told(cli.ExitFailed)
		},
	}
}

func (a *app) dbBackup() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write a copy of the database to a new file", Args: cli.Args(cobra.ExactArgs(1)),
		Long: `Write a copy of the database, as it is at one moment, to a file that does not exist yet. It holds the relay's
certificate authority: keep it as safe as the relay. To restore it, stop the relay, put it back as ` + sqlite.File + ` into an
empty data folder, and start the relay. What was synced, and the schedules of syncs, are in ` + recordfile.File + ` and not in the copy.`,
		RunE: func(cmd *cobra.Command, given []string) error {
			config, err := a.existing()
			if err != nil {
				return err
			}
			file, err := filepath.Abs(given[0])
			if err != nil {
				return err
			}
			ctx, cancel := a.Bounded(cmd)
			defer cancel()
			if err := sqlite.Backup(ctx, config.DataDir, file); err != nil {
				return err
			}
			a.Answer(backupDocument{schema, file}, file)
			return nil
		},
	}
}

// existing reads the configuration of a relay that has data.
func (a *app) existing() (configs.Relay, error) {
	config, err := a.load()
	if err != nil {
		return config, err
	}
	return config, hasData(config.DataDir)
}
