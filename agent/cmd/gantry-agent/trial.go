package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"gantry/agent"
	"gantry/agent/calls"
	"gantry/agent/control"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/trial"
	"gantry/tunnel/fault"
)

// trialDocument is the --json form of `connectors test`.
type trialDocument struct {
	Schema  int            `json:"schema"`
	System  string         `json:"system"`
	Status  trial.Status   `json:"status"`
	Results []trial.Result `json:"results"`
}

// trialWish is what the person wants tried.
type trialWish struct {
	login         trialLogin
	entities      []string
	creates       map[string]string // entity → file of a record
	records       int
	wrongPassword bool
}

// trialLogin is where the login of a live system comes from.
type trialLogin struct {
	against string // a file
	set     []string
}

func (l *trialLogin) flags(flags *pflag.FlagSet) {
	flags.StringVar(&l.against, "against", "", "`file` with the login of the live system (YAML or JSON)")
	flags.StringArrayVar(&l.set, "set", nil, "a member of the login, `name=value`; may be given again")
}

func (a *app) connectorsTest() *cobra.Command {
	var w trialWish
	cmd := &cobra.Command{
		Use: "test SYSTEM|FILE", Short: "Try a definition on a live system, and print what holds", Args: cli.Args(cobra.ExactArgs(1)),
		Long: `Try a definition on a live system: login, paging without loss or repeat, incremental reads, filters, single
records, refusals. It only reads, and makes dry runs, unless --create gives a record that may be created.
The plant's policy holds: what it does not allow is not reached. Nothing is kept.

The login is a YAML file with the members of the system's login form (gantry-agent connectors show SYSTEM);
a secret that is missing there is asked for.

Exit codes: 0 everything holds, 1 a check failed.`,
		Example: `  gantry-agent connectors test our-mes.yaml --against login.yaml
  gantry-agent connectors test our-mes.yaml --against login.yaml --entity work-orders --create work-orders=order.json`,
		ValidArgsFunction: definitionFiles,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.tryOut(cmd, given[0], w)
		},
	}
	flags := cmd.Flags()
	w.login.flags(flags)
	flags.StringSliceVar(&w.entities, "entity", nil, "only this `entity`; may be given again")
	flags.StringToStringVar(&w.creates, "create", nil, "create the record of a JSON file, twice with one key: `entity=file`")
	flags.IntVar(&w.records, "records", trial.DefaultRecords, "at most read of each entity")
	flags.BoolVar(&w.wrongPassword, "wrong-password", false, "log in with a wrong secret once; some systems lock an account after a few")
	return cmd
}

// tryOut runs the trial and prints its table as it grows.
func (a *app) tryOut(cmd *cobra.Command, named string, w trialWish) error {
	ctx, stop := cli.UntilSignal(cmd.Context(), nil)
	defer stop()
	config, err := a.load()
	if err != nil {
		return err
	}
	set, d, err := a.definitionOf(config, named)
	if err != nil {
		return err
	}
	creates, err := w.bodies()
	if err != nil {
		return err
	}
	settings, credentials, err := a.loginOf(d.Login, w.login)
	if err != nil {
		return err
	}
	logger, closeLog, err := a.logger(configs.Log{Level: "error"})
	if err != nil {
		return err
	}
	defer closeLog() //nolint:errcheck // standard error
	options := agent.Options{Version: version, ConfigFile: a.file(), Drivers: drivers(), Definitions: set, Logger: logger}
	open := func(credentials map[string]string) (calls.Engine, error) {
		return agent.Trial(ctx, config, options, d, settings, credentials)
	}
	engine, err := open(credentials)
	if f, ok := errors.AsType[*fault.Error](err); ok && len(f.Fields) > 0 {
		return loginFailure("connectors show "+d.Metadata.ID, f)
	}
	if err != nil {
		return err
	}
	defer engine.Close() //nolint:errcheck // it was only read
	o := trial.Options{Definition: d, Entities: w.entities, Records: w.records, Creates: creates, Progress: a.trialProgress()}
	if w.wrongPassword && len(credentials) > 0 {
		o.Refused = refused(open, credentials)
	}
	results := trial.Run(ctx, engine, o)
	return a.tellTrial(d.Metadata.ID, results)
}

// loginFailure names the members of a login that do not fit the form.
func loginFailure(command string, f *fault.Error) error {
	said := make([]string, len(f.Fields))
	for i, field := range f.Fields {
		said[i] = field.Name + ": " + field.Message
	}
	return cli.Fail(cli.ExitUsage, "Give each with --set NAME=VALUE, or in the file of --against; see: gantry-agent "+command,
		"the login does not fit the form of the system:\n  %s", strings.Join(said, "\n  "))
}

// refused logs in with secrets that are certainly wrong.
func refused(open func(map[string]string) (calls.Engine, error), credentials map[string]string) func(context.Context) error {
	return func(ctx context.Context) error {
		wrong := map[string]string{}
		for name := range credentials {
			wrong[name] = rand.Text()
		}
		engine, err := open(wrong)
		if err != nil {
			return err
		}
		defer engine.Close() //nolint:errcheck // it was only asked
		_, err = engine.Check(ctx)
		return err
	}
}

// definitionOf finds the system that a person names, by its id or by the file of its definition.
func (a *app) definitionOf(config configs.Agent, named string) (*definition.Set, *definition.Definition, error) {
	if ext := filepath.Ext(named); ext == ".yaml" || ext == ".yml" {
		return definitionIn(config, named)
	}
	set, err := definitions(config)
	if err != nil {
		return nil, nil, err
	}
	if d := set.Lookup(named); d != nil {
		return set, d, nil
	}
	all, _, err := a.systems()
	if err != nil {
		return nil, nil, err
	}
	return nil, nil, noSystem(named, all)
}

// definitionIn reads the definition of one file, over the built-in ones and the site's own.
func definitionIn(config configs.Agent, file string) (*definition.Set, *definition.Definition, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read definition: %w", err)
	}
	below, err := definitionSources(config)
	if err != nil {
		return nil, nil, err
	}
	files := map[string][]byte{file: raw}
	if problems := definition.Lint(drivers(), files, below...); len(problems) > 0 {
		return nil, nil, cli.Fail(cli.ExitFailed, "Correct the file; gantry-agent connectors lint "+file+" checks it again.", "%w", problems)
	}
	set, err := definition.LoadFiles(files, below...)
	if err != nil {
		return nil, nil, err
	}
	if d := set.Of(file); d != nil {
		return set, d, nil
	}
	return nil, nil, cli.Fail(cli.ExitUsage, "Name the file of a system, or of an overlay of one.", "%s is a layer, and no system of its own", file)
}

// bodies reads the records that may be created.
func (w trialWish) bodies() (map[string]map[string]any, error) {
	bodies := map[string]map[string]any{}
	for _, entity := range slices.Sorted(maps.Keys(w.creates)) {
		raw, err := os.ReadFile(w.creates[entity])
		if err != nil {
			return nil, fmt.Errorf("read record: %w", err)
		}
		if bodies[entity], err = connectors.DecodeBody(raw); err != nil {
			return nil, cli.Fail(cli.ExitUsage, "Write the record as POST /"+entity+" takes it.", "%s is no JSON object: %w", w.creates[entity], err)
		}
	}
	return bodies, nil
}

// loginOf gathers the members of a login, and parts them into settings and credentials.
func (a *app) loginOf(form definition.Login, l trialLogin) (settings map[string]any, credentials map[string]string, err error) {
	members, err := l.members()
	if err != nil {
		return nil, nil, err
	}
	settings, credentials = map[string]any{}, map[string]string{}
	for name, text := range members {
		if p := form.Properties[name]; p.WriteOnly {
			credentials[name] = text
		} else {
			settings[name] = typed(p, text)
		}
	}
	for _, name := range form.Required {
		if p := form.Properties[name]; p.WriteOnly && credentials[name] == "" {
			if credentials[name], err = a.AskSecret(p.Title); err != nil {
				return nil, nil, cli.Fail(cli.ExitUsage, "Give it in the file of --against.", "the login needs %s: %w", name, err)
			}
		}
	}
	return settings, credentials, nil
}

// typed gives a setting the type that the form says; one that is not of it stays a text, which the form refuses.
func typed(p definition.Property, text string) any {
	switch {
	case p.Type == "integer" && json.Valid([]byte(text)):
		return json.Number(text)
	case p.Type == "boolean" && (text == "true" || text == "false"):
		return text == "true"
	}
	return text
}

// members reads the file of the login and what --set gives, as they are written: a user 007 is no number.
func (l trialLogin) members() (map[string]string, error) {
	members := map[string]string{}
	if l.against != "" {
		raw, err := os.ReadFile(l.against)
		if err != nil {
			return nil, fmt.Errorf("read login: %w", err)
		}
		var nodes map[string]yaml.Node
		if err := yaml.Unmarshal(raw, &nodes); err != nil {
			return nil, cli.Fail(cli.ExitUsage, "Write one `name: value` a line.", "%s is no YAML of names and values", l.against)
		}
		for name, node := range nodes {
			members[name] = node.Value
		}
	}
	for _, pair := range l.set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, cli.Fail(cli.ExitUsage, "Write --set name=value.", "--set %q has no =", pair)
		}
		members[name] = value
	}
	return members, nil
}

// trialProgress tells a person who waits at a terminal which check is over.
func (a *app) trialProgress() func(trial.Result) {
	if a.Quiet || a.JSON || !cli.Terminal(a.Talk) {
		return nil
	}
	return func(r trial.Result) { fmt.Fprintf(a.Talk, "\r%-60.60s\r", "  "+r.Entity+" "+r.Check) }
}

// tellTrial prints the table, and gives the exit code.
func (a *app) tellTrial(system string, results []trial.Result) error {
	document := trialDocument{control.Schema, system, trial.Passed, results}
	counts := map[trial.Status]int{}
	var entities []string // in the order of the trial
	rows := map[string][][]string{}
	for _, r := range results {
		counts[r.Status]++
		if rows[r.Entity] == nil {
			entities = append(entities, r.Entity)
		}
		rows[r.Entity] = append(rows[r.Entity], []string{a.paintTrial(r.Status), r.Check, fmt.Sprintf("%d ms", r.MS), r.Detail})
	}
	if counts[trial.Failed] > 0 {
		document.Status = trial.Failed
	}
	if a.JSON {
		a.PrintJSON(document)
	} else {
		for _, entity := range entities {
			a.Print("%s", cmp.Or(entity, system))
			a.Rows("  ", rows[entity])
		}
	}
	a.Say("\n%d passed, %d failed, %d could not be tried", counts[trial.Passed], counts[trial.Failed], counts[trial.Skipped])
	if counts[trial.Failed] > 0 {
		return cli.Told(cli.ExitFailed)
	}
	return nil
}

func (a *app) paintTrial(s trial.Status) string {
	return a.Paint(map[trial.Status]cli.Colour{trial.Passed: cli.Green, trial.Failed: cli.Red, trial.Skipped: cli.Faint}[s], string(s))
}
