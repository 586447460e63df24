package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/files"
	"gantry/connectors/jsonrpc"
	"gantry/connectors/odata"
	"gantry/connectors/rest"
	"gantry/connectors/soap"
	sqldriver "gantry/connectors/sql"
	"gantry/connectors/wire"
)

// drivers is the one list of what this program speaks.
func drivers() []connectors.Driver {
	return []connectors.Driver{sqldriver.Driver{}, jsonrpc.Driver{}, rest.Driver{}, files.Driver{}, soap.Driver{}, odata.Driver{}}
}

// definitionSources are the built-in definitions and the site's own folder.
func definitionSources(config configs.Agent) ([]fs.FS, error) {
	sources := []fs.FS{catalogue.FS}
	if config.Definitions != "" {
		if _, err := os.Stat(config.Definitions); err != nil {
			return nil, cli.Fail(cli.ExitConfig, "Correct `definitions` in the configuration.", "open definitions: %w", err)
		}
		sources = append(sources, os.DirFS(config.Definitions))
	}
	return sources, nil
}

// definitions loads the built-in systems and the site's own.
func definitions(config configs.Agent) (*definition.Set, error) {
	sources, err := definitionSources(config)
	if err != nil {
		return nil, err
	}
	set, err := definition.Load(sources...)
	if set == nil { // not the definitions are at fault, which the set itself tells
		return nil, fmt.Errorf("load definitions: %w", err)
	}
	return set, nil
}

func (a *app) connectors() *cobra.Command {
	return cli.Group("connectors", "Show the systems that can be connected, and try definitions of your own",
		&cobra.Command{Use: "list", Short: "List the systems", Args: cli.Args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return a.connectorsList() }},
		&cobra.Command{Use: "show SYSTEM", Short: "Show a system: its login, entities and operations", Args: cli.Args(cobra.ExactArgs(1)),
			ValidArgsFunction: cli.Complete(a.systemWords),
			RunE:              func(_ *cobra.Command, given []string) error { return a.connectorsShow(given[0]) }},
		a.connectorsNew(), a.connectorsTest(),
		&cobra.Command{Use: "schema", Short: "Print the JSON Schema by which an editor completes and checks a definition", Args: cli.Args(cobra.NoArgs),
			Long: `Print the JSON Schema by which an editor completes and checks a definition. "connectors new" writes it beside the
definition, whose first line names it in the way of the YAML language server.`,
			RunE: func(*cobra.Command, []string) error { return a.connectorsSchema() }},
		&cobra.Command{Use: "lint FILE...", ValidArgsFunction: definitionFiles, Short: "Check definition files, on top of the built-in ones", Args: cli.Args(cobra.MinimumNArgs(1)),
			RunE: func(_ *cobra.Command, given []string) error { return a.connectorsLint(given) }},
	)
}

// definitionFiles lets the shell complete YAML files.
func definitionFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// systems describes every system, by id, and gives those that are faulty.
func (a *app) systems() ([]wire.System, []definition.Faulty, error) {
	config, err := a.load()
	if err != nil {
		return nil, nil, err
	}
	set, err := definitions(config)
	if err != nil {
		return nil, nil, err
	}
	set = set.Prepare(drivers())
	all := []wire.System{}
	for _, d := range set.Systems() {
		all = append(all, d.Describe())
	}
	slices.SortFunc(all, func(x, y wire.System) int { return strings.Compare(x.ID, y.ID) })
	return all, set.Faulty(), nil
}

func (a *app) connectorsList() error {
	all, faulty, err := a.systems()
	if err != nil {
		return err
	}
	if a.JSON {
		a.PrintJSON(systemsDocument{control.Schema, all, faulty})
		return nil
	}
	rows := make([][]string, len(all))
	for i, s := range all {
		rows[i] = []string{s.ID, s.Driver, s.Proved, strconv.Itoa(s.Tier), productOf(s)}
	}
	a.Table([]string{"ID", "DRIVER", "PROVED", "TIER", "PRODUCT"}, rows)
	for _, f := range faulty {
		for _, p := range f.Problems {
			a.Print("%s faulty: %s", cmp.Or(f.ID, "-"), p)
		}
	}
	return nil
}

// connectorsLint checks definition files without an agent: what an author runs.
func (a *app) connectorsLint(names []string) error {
	files := make(map[string][]byte, len(names))
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read definition: %w", err)
		}
		files[name] = raw
	}
	problems := definition.Lint(drivers(), files, catalogue.FS)
	switch {
	case a.JSON:
		a.PrintJSON(lintDocument{control.Schema, append(definition.Problems{}, problems...)})
	case len(problems) == 0:
		a.Print("%s: no problem", strings.Join(names, ", "))
	}
	if len(problems) == 0 {
		return nil
	}
	if !a.JSON {
		a.Print("%s", problems)
	}
	return cli.Told(cli.ExitFailed)
}

func (a *app) connectorsShow(id string) error {
	all, faulty, err := a.systems()
	if err != nil {
		return err
	}
	for _, f := range faulty {
		if f.ID == id {
			return cli.Fail(cli.ExitFailed, "Correct it, then run: gantry-agent connectors lint FILE", "the definition of %s is faulty: %w", id, f.Problems)
		}
	}
	index := slices.IndexFunc(all, func(s wire.System) bool { return s.ID == id })
	if index < 0 {
		return noSystem(id, all)
	}
	s := all[index]
	if a.JSON {
		a.PrintJSON(systemDocument{control.Schema, s})
		return nil
	}
	a.tellSystem(s)
	return nil
}

func noSystem(id string, all []wire.System) error {
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	fix := "See: gantry-agent connectors list"
	if near := configs.Nearest(id, ids); near != "" {
		fix = "Did you mean: gantry-agent connectors show " + near
	}
	return cli.Fail(cli.ExitFailed, fix, "there is no system %q", id)
}

// loginRows says what a login asks for.
func loginRows(schema json.RawMessage) [][]string {
	var login struct {
		Required   []string `json:"required"`
		Properties map[string]struct {
			Title     string `json:"title"`
			WriteOnly bool   `json:"writeOnly"`
			Default   any    `json:"default"`
		} `json:"properties"`
	}
	if json.Unmarshal(schema, &login) != nil { // it comes from a definition that was validated
		return nil
	}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(login.Properties)) {
		p := login.Properties[name]
		meaning := p.Title
		if p.WriteOnly {
			meaning += " (secret)"
		}
		if p.Default != nil {
			meaning += fmt.Sprintf(" [%v]", p.Default)
		}
		if slices.Contains(login.Required, name) {
			meaning += " *"
		}
		rows = append(rows, []string{name, meaning})
	}
	return rows
}
