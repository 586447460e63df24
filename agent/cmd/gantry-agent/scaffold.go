package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/agent/control"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/entity"
	"gantry/connectors/scaffold"
	"gantry/tunnel/fault"
)

// begunDocument is the --json form of `connectors new`.
type begunDocument struct {
	Schema int    `json:"schema"`
	File   string `json:"file"`
}

func (a *app) connectorsNew() *cobra.Command {
	var w scaffold.Wish
	var login trialLogin
	var file string
	cmd := &cobra.Command{
		Use: "new ID", Short: "Begin a definition for a database of your own", Args: cli.Args(cobra.ExactArgs(1)),
		Long: `Begin a definition for a database of your own: a file that passes the linter, with every field of the
canonical entity in it to be filled in. With a login it looks at one row, and names the columns that are there.
docs/connectors.md leads through the rest.`,
		Example: `  gantry-agent connectors new our-mes --dialect sqlserver --entity work-orders --table dbo.WorkOrder --key WorkOrderID
  gantry-agent connectors new our-mes --dialect sqlserver --entity work-orders --table dbo.WorkOrder --key WorkOrderID --against login.yaml`,
		RunE: func(cmd *cobra.Command, given []string) error {
			w.ID = given[0]
			if login.against != "" || len(login.set) > 0 {
				if err := a.lookAt(cmd, &w, login); err != nil {
					return err
				}
			}
			return a.begin(w, file)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&w.Dialect, "dialect", "", "`name` of the database's kind: postgres, mysql, sqlserver, oracle or sqlite")
	flags.StringVar(&w.Entity, "entity", "", "the canonical `entity` to begin with, such as work-orders")
	flags.StringVar(&w.Table, "table", "", "the `table` or view that its records are in")
	flags.StringVar(&w.Key, "key", "id", "the `column` that names a record")
	login.flags(flags)
	flags.StringVar(&file, "file", "", "the `file` to write (default ID.yaml)")
	_ = cmd.RegisterFlagCompletionFunc("dialect", cobra.FixedCompletions(scaffold.Dialects(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("entity", cobra.FixedCompletions(entityNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func entityNames() (names []string) {
	for _, e := range entity.Catalogue() {
		names = append(names, e.Name)
	}
	return names
}

// lookAt reads one row of the table, for its columns.
func (a *app) lookAt(cmd *cobra.Command, w *scaffold.Wish, login trialLogin) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	config, err := a.load()
	if err != nil {
		return err
	}
	text, err := scaffold.SQL(*w)
	if err != nil {
		return cli.Fail(cli.ExitUsage, "See: gantry-agent connectors new --help", "%w", err)
	}
	set, err := definition.LoadFiles(map[string][]byte{w.ID: text}, catalogue.FS)
	if err != nil {
		return err
	}
	d := set.Of(w.ID)
	settings, credentials, err := a.loginOf(d.Login, login)
	if err != nil {
		return err
	}
	logger, closeLog, err := a.logger(configs.Log{Level: "error"})
	if err != nil {
		return err
	}
	defer closeLog() //nolint:errcheck // standard error
	options := agent.Options{Version: version, ConfigFile: a.file(), Drivers: drivers(), Definitions: set, Logger: logger}
	row, err := agent.FirstRow(ctx, config, options, d, settings, credentials, map[string]any{"sql": "SELECT * FROM " + w.Table})
	switch f, ok := errors.AsType[*fault.Error](err); {
	case ok && len(f.Fields) > 0:
		return loginFailure("connectors show demo-plant", f)
	case err != nil:
		return err
	case row == nil:
		a.Say("%s has no row yet: its columns are not known.", w.Table)
	}
	w.Columns = scaffold.ColumnsOf(row)
	return nil
}

// begin writes the file, which must not be there.
func (a *app) begin(w scaffold.Wish, file string) error {
	text, err := scaffold.SQL(w)
	if err != nil {
		return cli.Fail(cli.ExitUsage, "See: gantry-agent connectors new --help", "%w", err)
	}
	if file == "" {
		file = w.ID + ".yaml"
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return cli.Fail(cli.ExitConflict, "Name another with --file.", "begin definition: %w", err)
	}
	if _, err = out.Write(text); err != nil {
		_ = out.Close() // it is the writing that failed
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := a.writeEditorSchema(filepath.Dir(file)); err != nil {
		return err
	}
	a.Answer(begunDocument{control.Schema, file}, file)
	a.Say("Name the columns in it, then: gantry-agent connectors test %s --against login.yaml", file)
	return nil
}

// connectorsSchema prints what an editor wants. It is a JSON document of its own form, with and without --json.
func (a *app) connectorsSchema() error {
	schema, err := editorSchema()
	if err != nil {
		return err
	}
	a.Print("%s", schema)
	return nil
}

// writeEditorSchema keeps the schema that the first line of a begun definition names.
func (a *app) writeEditorSchema(folder string) error {
	schema, err := editorSchema()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, scaffold.EditorSchema), append(schema, '\n'), 0o644)
}

func editorSchema() ([]byte, error) {
	set, err := definition.Load(catalogue.FS)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range drivers() {
		names = append(names, d.Name())
	}
	return definition.EditorSchema(names, set.Layers())
}
