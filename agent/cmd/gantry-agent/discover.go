package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"gantry/agent/control"
	"gantry/configs/cli"
	"gantry/connectors/wire"
)

// discoveredDocument is the --json form of `connections discover`.
type discoveredDocument struct {
	Schema int `json:"schema"`
	control.Discovered
}

func (a *app) discover() *cobra.Command {
	overlay := false
	cmd := &cobra.Command{Use: "discover ID|NAME [ENTITY]", Short: "Find what a connection's system has beyond its definition", Args: cli.Args(cobra.RangeArgs(1, 2)),
		Long: `Ask the system for the columns of its records that the definition does not map: fields that the plant added to
its own system. It goes the way of the connection's calls, within their limits, and changes nothing. The columns of a
table are told by the system's catalogue; how many of the first records have a value, and no value itself.

With --overlay it writes an overlay that maps all of them: put it into the folder that ` + "`definitions`" + ` names in
agent.yaml, and take away what you do not want to be seen.`,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.connectionsDiscover(cmd, given[0], strings.Join(given[1:], ""), overlay)
		}}
	cmd.Flags().BoolVar(&overlay, "overlay", false, "write an overlay, as a file of its own, to standard output")
	return cmd
}

func (a *app) connectionsDiscover(cmd *cobra.Command, idOrName, entity string, overlay bool) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	found, err := a.client().Discover(ctx, idOrName, entity)
	if err != nil {
		return err
	}
	if overlay && !a.JSON {
		text, err := overlayFile(found)
		if err == nil {
			a.Print("%s", strings.TrimRight(text, "\n"))
		}
		return err
	}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(found.Entities)) {
		rows = append(rows, discoveredRows(name, found.Entities[name])...)
	}
	a.AnswerTable(discoveredDocument{control.Schema, found}, "Nothing beyond the definition.",
		[]string{"ENTITY", "COLUMN", "ITS TYPE", "AS", "FILLED", "TITLE"}, rows)
	return nil
}

func discoveredRows(entity string, e wire.DiscoveredEntity) (rows [][]string) {
	if !e.Allowed {
		return [][]string{{entity, e.Reason}}
	}
	for _, c := range e.Columns {
		as, filled := "cannot be mapped", ""
		if len(c.Types) > 0 {
			as, filled = c.Types[0], fmt.Sprintf("%d of %d", c.Filled, e.Records)
		}
		if c.CustomField != "" {
			as = "is custom_fields." + c.CustomField
		}
		rows = append(rows, []string{entity, c.Name, c.NativeType, as, filled, c.Title})
	}
	return rows
}

// overlayFile writes an overlay that maps what can be mapped and is not. It reads; what may be written is for its author to say.
func overlayFile(found control.Discovered) (string, error) {
	entities := map[string]any{}
	for name, e := range found.Entities {
		fields := map[string]any{}
		for _, c := range e.Columns {
			if e.Allowed && len(c.Types) > 0 && c.CustomField == "" {
				fields[fieldName(c.Name, fields)] = overlayField(c)
			}
		}
		if len(fields) > 0 {
			entities[name] = map[string]any{"custom_fields": fields}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# What %s has beyond its definition. Take away what is not to be seen, and give the fields the names that they shall have.\n", found.System)
	b.WriteString("# `write: [create, update]` lets calls write a field, `filterable: true` lets lists be narrowed by it.\n")
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	err := encoder.Encode(map[string]any{"apiVersion": "connector/v1", "metadata": map[string]any{"overlay": found.System}, "entities": entities})
	return b.String(), err
}

func overlayField(c wire.DiscoveredColumn) map[string]any {
	field := map[string]any{"discovered": c.Name, "type": c.Types[0], "native": c.Native}
	if c.Title != "" {
		field["title"] = c.Title
	}
	return field
}

var noWord = regexp.MustCompile(`[^a-z0-9]+`)

// fieldName makes a field's name of a column's, which no other has.
func fieldName(column string, taken map[string]any) string {
	name := strings.Trim(noWord.ReplaceAllString(strings.ToLower(column), "_"), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "field_" + name
	}
	name = name[:min(len(name), 50)]
	for unique, n := name, 2; ; n++ {
		if _, there := taken[unique]; !there {
			return unique
		}
		unique = fmt.Sprintf("%s_%d", name, n)
	}
}
