package main

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"gantry/agent/control"
	"gantry/agent/policy/edit"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/connectors/entity"
)

func (a *app) policy() *cobra.Command {
	return cli.Group("policy", "Show and change what the agent may do",
		&cobra.Command{Use: "show", Short: "Show what the policy allows", Args: cli.Args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return a.policyShow() }},
		a.change("allow", true), a.change("deny", false),
	)
}

// change makes `policy allow` or `policy deny`, with a command for each kind of thing.
func (a *app) change(verb string, allow bool) *cobra.Command {
	kinds := []struct {
		kind    edit.Kind
		value   string
		short   string
		example string
		words   cobra.CompletionFunc
	}{
		{edit.Target, "HOST:PORT", "hosts and ports", "db.plant.local:5432", cobra.NoFileCompletions},
		{edit.Path, "FOLDER", "a folder with files or SQLite databases", "/srv/plant", folders},
		{edit.Writes, "", "changes in the systems", "", cobra.NoFileCompletions},
		{edit.Overlays, "", "mappings of further columns that come from the cloud", "", cobra.NoFileCompletions},
		{edit.System, "ID", "a system", "demo-plant", cli.Complete(a.systemWords)},
		{edit.Entity, "NAME", "an entity", "purchase-orders", cli.Complete(entityWords)},
		{edit.Operation, "[ENTITY:]OPERATION", "an operation", "purchase-orders:create", cli.Complete(operationWords)},
		{edit.Field, "ENTITY.FIELD", "a field", "'*.tax_id'", cli.Complete(fieldWords)},
		{edit.Passthrough, "REQUEST", "native requests of one connection", "'GET /api/orders/*' --connection erp", cobra.NoFileCompletions},
	}
	group := cli.Group(verb, strings.ToUpper(verb[:1])+verb[1:]+" something, and keep the rest of the file as it is")
	for _, k := range kinds {
		c := edit.Change{Allow: allow, Kind: k.kind}
		number := cobra.ExactArgs(1)
		if k.value == "" {
			number = cobra.NoArgs
		}
		cmd := &cobra.Command{
			Use: strings.TrimSpace(string(k.kind) + " " + k.value), Short: strings.ToUpper(verb[:1]) + verb[1:] + " " + k.short, Args: cli.Args(number), ValidArgsFunction: k.words,
			Example: strings.TrimRight("  gantry-agent policy "+verb+" "+string(k.kind)+" "+k.example, " "),
			RunE: func(cmd *cobra.Command, given []string) error {
				if len(given) == 1 {
					c.Value = given[0]
				}
				return a.policyChange(cmd, c)
			},
		}
		if c.OfConnection() {
			usage := "only in the rules of this connection, by `name` or id"
			if k.kind == edit.Passthrough {
				usage = "the connection, by `name` or id"
			}
			cmd.Flags().StringVar(&c.Connection, "connection", "", usage)
			cli.CompleteFlag(cmd, "connection", a.connectionWords)
		}
		group.AddCommand(cmd)
	}
	return group
}

// folders lets the shell complete folders.
func folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// changeDocument is the --json form of a change.
type changeDocument struct {
	Schema int `json:"schema"`
	edit.Result
	InForce bool   `json:"in_force"` // the running agent has it
	Agent   string `json:"agent"`    // reloaded, not_running, or why it did not reload
}

// policyChange edits the file, then makes the running agent read it.
func (a *app) policyChange(cmd *cobra.Command, c edit.Change) error {
	if c.Kind == edit.Path {
		absolute, err := filepath.Abs(c.Value)
		if err != nil {
			return err
		}
		c.Value = absolute
	}
	a.warnUnknown(c)
	result, err := edit.File(a.file(), c)
	if err != nil {
		return err
	}
	document := changeDocument{Schema: control.Schema, Result: result}
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	_, reloadErr := a.client().Reload(ctx)
	switch {
	case reloadErr == nil:
		document.InForce, document.Agent = true, "reloaded"
	case errors.Is(reloadErr, control.ErrNotRunning):
		document.Agent = "not_running"
	default:
		document.Agent = reloadErr.Error()
	}
	if a.JSON {
		a.PrintJSON(document)
		return nil
	}
	a.tellChange(document, reloadErr)
	return nil
}

// warnUnknown says that a name is none which any definition can have: it is written all the same, as one of a later version
// may.
func (a *app) warnUnknown(c edit.Change) {
	var names []string
	for _, e := range entity.Catalogue() {
		names = append(names, e.Name)
	}
	name := c.Value
	switch c.Kind {
	case edit.Operation:
		var ok bool
		if name, _, ok = strings.Cut(c.Value, ":"); !ok {
			return
		}
	case edit.Field:
		name, _, _ = strings.Cut(c.Value, ".")
	case edit.Entity:
	default:
		return
	}
	if name == "*" || slices.Contains(names, name) {
		return
	}
	hint := ""
	if near := configs.Nearest(name, names); near != "" {
		hint = " Did you mean " + near + "?"
	}
	a.Say("Note: no entity is called %q.%s", name, hint)
}

func (a *app) tellChange(d changeDocument, reloadErr error) {
	if d.Created {
		a.Print("%s: written, with every key explained", d.File)
	}
	for _, did := range d.Did {
		a.Print("%s: %s", d.File, did)
	}
	if !d.Changed {
		a.Print("%s: nothing to change, it is so already", d.File)
	}
	for _, note := range d.Notes {
		a.Print("%s", note)
	}
	switch {
	case d.InForce:
		a.Say("The running agent has read it: it is in force.")
	case errors.Is(reloadErr, control.ErrNotRunning):
		a.Say("The agent is not running: it takes effect when it starts.")
	default:
		a.Say("The running agent could not be told: %v\nRestart it for the change to take effect.", reloadErr)
	}
}

// policyShow prints the policy part of the effective configuration.
func (a *app) policyShow() error {
	config, err := a.load()
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := node.Encode(config.Policy); err != nil {
		return err
	}
	if a.JSON {
		var values map[string]any
		if err := node.Decode(&values); err != nil {
			return err
		}
		a.PrintJSON(policyDocument{control.Schema, a.file(), values})
		return nil
	}
	a.tellPolicy(config.Policy)
	return nil
}

func (a *app) tellPolicy(p configs.Policy) {
	a.Print("%-13s %s", "File", a.file())
	a.Print("%-13s %s", "Targets", cli.List(p.Targets, "none: no network connection is allowed"))
	a.Print("%-13s %s", "Paths", cli.List(p.Paths, "none: no file is opened"))
	a.Print("%-13s %s", "Overlays", map[bool]string{true: "allowed", false: "off"}[p.Overlays])
	a.Print("%-13s %s", "Writes", map[bool]string{true: "allowed", false: "off"}[p.Writes])
	a.tellRules("", p.Rules)
	for _, name := range slices.Sorted(maps.Keys(p.Passthrough)) {
		a.Print("%-13s %s: %s", "Passthrough", name, cli.List(p.Passthrough[name], "none"))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Connections)) {
		a.Print("\nConnection %s, in addition", name)
		a.tellRules("  ", p.Connections[name])
	}
}

// tellRules prints the rules that say something.
func (a *app) tellRules(indent string, r configs.Rules) {
	rows := []struct {
		title   string
		members []string
	}{
		{"Systems", r.Systems}, {"Entities", r.Entities}, {"Operations", r.Operations},
		{"Not systems", r.DenySystems}, {"Not entities", r.DenyEntities}, {"Not operations", r.DenyOperations}, {"Not fields", r.DenyFields},
		{"Quiet hours", r.QuietHours},
	}
	for _, row := range rows {
		if len(row.members) > 0 {
			a.Print("%s%-13s %s", indent, row.title, cli.List(row.members, ""))
		}
	}
	if r.MaxRows > 0 {
		a.Print("%s%-13s %d a call", indent, "Rows", r.MaxRows)
	}
	if r.Rate != "" {
		a.Print("%s%-13s %s", indent, "Rate", r.Rate)
	}
	if r.Concurrency > 0 {
		a.Print("%s%-13s %d calls at once", indent, "Concurrency", r.Concurrency)
	}
}
