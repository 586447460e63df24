package main

import (
	"cmp"
	"slices"
	"strings"

	"gantry/configs/cli"
	"gantry/connectors/wire"
)

// proofs says what the words for how far a definition is proved mean.
var proofs = map[string]string{
	"real":    "on the product itself",
	"dialect": "on another product that speaks the same",
	"shape":   "not on a system: made from the vendor's documents",
}

// tellSystem prints a system for a person.
func (a *app) tellSystem(s wire.System) {
	a.Print("%s %s: %s", s.ID, s.Version, s.Product)
	a.Rows("", [][]string{
		{"Categories", cli.List(s.Categories, "-")},
		{"Driver", strings.TrimSuffix(s.Driver+", "+s.Dialect, ", ")},
		{"Costs", cli.Count(s.Tier, "connection credit", "connection credits")},
		{"Proved", strings.TrimSuffix(s.Proved+", "+proofs[s.Proved]+": "+s.Evidence, ": ")},
	})
	if s.Guide != "" {
		a.Print("\n%s", strings.TrimSpace(s.Guide))
	}
	a.Print("\nLogin (* needed)")
	a.Rows("  ", loginRows(s.Login))
	a.Print("")
	a.Table([]string{"ENTITY", "LIST", "GET", "CREATE", "UPDATE", "DELETE", "ACTIONS"}, entityRows(s.Entities))
}

// productOf names a system's product and what it is for.
func productOf(s wire.System) string {
	if len(s.Categories) == 0 {
		return s.Product
	}
	return s.Product + " (" + strings.Join(s.Categories, ", ") + ")"
}

// entityRows are entities × operations, with the actions behind.
func entityRows(entities []wire.SystemEntity) [][]string {
	var rows [][]string
	for _, e := range entities {
		row := []string{e.Name}
		for _, operation := range []string{"list", "get", "create", "update", "delete"} {
			row = append(row, map[bool]string{true: "yes", false: "-"}[slices.Contains(e.Operations, operation)])
		}
		rows = append(rows, append(row, cmp.Or(strings.Join(e.Actions, ", "), "-")))
	}
	return rows
}

// doing says what can be done with an entity, in a line: "list get create + approve cancel".
func doing(e wire.SystemEntity) string {
	words := slices.Clone(e.Operations)
	if len(e.Actions) > 0 {
		words = append(append(words, "+"), e.Actions...)
	}
	return strings.Join(words, " ")
}
