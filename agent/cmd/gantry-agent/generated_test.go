package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/wire"
)

// root is the project's folder, seen from here.
var root = filepath.Join("..", "..", "..")

// TestGeneratedConnectors makes what is published of drivers and systems out of the drivers' specifications and the built-in
// definitions: docs/drivers.md, and what stands between the README's markers.
func TestGeneratedConnectors(t *testing.T) {
	readme := filepath.Join(root, "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	set, err := definition.Load(catalogue.FS)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]string{"systems": systemsTable(set), "drivers": driversTable()} {
		if text, err = between(text, name, block); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string][]byte{readme: text, filepath.Join(root, "docs", "drivers.md"): driversPage()} {
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale: make generate (%v)", filepath.Clean(file), err)
		}
	}
}

// between replaces what stands between a file's markers.
func between(text []byte, name, block string) ([]byte, error) {
	begin, end := []byte("<!-- begin generated: "+name+" -->\n"), []byte("<!-- end generated: "+name+" -->\n")
	before, rest, found := bytes.Cut(text, begin)
	_, after, ended := bytes.Cut(rest, end)
	if !found || !ended {
		return nil, fmt.Errorf("README.md: no %s with its end", bytes.TrimSpace(begin))
	}
	return bytes.Join([][]byte{before, begin, []byte(block), end, after}, nil), nil
}

// systemsTable is one row for each system, or for several that differ only in where they are.
func systemsTable(set *definition.Set) string {
	var systems []wire.System
	for _, d := range set.Systems() {
		systems = append(systems, d.Describe())
	}
	proofs := []string{"real", "dialect", "shape"}
	slices.SortFunc(systems, func(a, b wire.System) int {
		return cmp.Or(cmp.Compare(slices.Index(proofs, a.Proved), slices.Index(proofs, b.Proved)), cmp.Compare(a.ID, b.ID))
	})
	b := new(strings.Builder)
	tableRow(b, "system", "driver", "entities: operations + actions", "proved")
	tableRow(b, "---", "---", "---", "---")
	for len(systems) > 0 {
		first := systems[0]
		var alike, others []wire.System
		for _, s := range systems {
			if s.Driver == first.Driver && s.Proved == first.Proved && entitiesCell(s) == entitiesCell(first) {
				alike = append(alike, s)
			} else {
				others = append(others, s)
			}
		}
		tableRow(b, lines(alike, func(s wire.System) string { return "`" + s.ID + "`: " + s.Product }),
			first.Driver+": "+strings.Join(distinct(alike, func(s wire.System) string { return s.Dialect }), ", "),
			entitiesCell(first), strings.TrimSuffix(first.Proved+": "+strings.Join(distinct(alike, func(s wire.System) string { return s.Evidence }), "<br>"), ": "))
		systems = others
	}
	return b.String()
}

// entitiesCell groups the entities with which the same can be done.
func entitiesCell(s wire.System) string {
	does := distinct(s.Entities, doing)
	return lines(does, func(what string) string {
		var names []string
		for _, e := range s.Entities {
			if doing(e) == what {
				names = append(names, e.Name)
			}
		}
		return strings.Join(names, ", ") + ": " + what
	})
}

// driversTable is the README's: a row for each driver.
func driversTable() string {
	b := new(strings.Builder)
	tableRow(b, "driver", "speaks", "dialects", "logins", "pages")
	tableRow(b, "---", "---", "---", "---", "---")
	for _, d := range drivers() {
		s := d.Specification()
		tableRow(b, "["+d.Name()+"](docs/drivers.md#"+d.Name()+")", s.Speaks, claimsCell(s.Dialects), claimsCell(s.Logins), claimsCell(s.Pages))
	}
	return b.String()
}

// claimsCell names the claims, those in bold that were seen to work on a system of others.
func claimsCell(claims []connectors.Claim) string {
	var names []string
	for _, c := range claims {
		if c.On != "" {
			c.Name = "**" + c.Name + "**"
		}
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// driversPage is docs/drivers.md: every claim with what it was seen on.
func driversPage() []byte {
	b := new(strings.Builder)
	b.WriteString("# Drivers\n\nGenerated from the drivers' specifications; `make generate` writes it anew.\n\n" +
		"A driver speaks one protocol; a definition says what one product makes of it. *Seen on* names systems that nobody here wrote; where it is empty, only\n" +
		"servers of the driver's own tests were at hand. What a driver reads in a definition stands in its package comment, `connectors/DRIVER/doc.go`.\n")
	for _, d := range drivers() {
		s := d.Specification()
		fmt.Fprintf(b, "\n## %s\n\n%s.\n\n| | | | seen on |\n| --- | --- | --- | --- |\n", d.Name(), s.Speaks)
		for _, group := range []struct {
			title  string
			claims []connectors.Claim
		}{{"dialect", s.Dialects}, {"login", s.Logins}, {"pages", s.Pages}} {
			for _, c := range group.claims {
				tableRow(b, group.title, "`"+c.Name+"`", c.Means, c.On)
			}
		}
		passes := map[connectors.Form]string{connectors.OverHTTP: " It passes requests of the system's own, by path.", connectors.ByMethod: " It passes requests of the system's own, by method."}
		fmt.Fprintf(b, "\n%s%s To build on: `%s`.\n", s.Limits, passes[s.Passes], strings.Join(s.Kits, "`, `"))
	}
	return []byte(b.String())
}

func tableRow(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// lines writes one line of a cell for each member.
func lines[T any](members []T, line func(T) string) string {
	var all []string
	for _, m := range members {
		all = append(all, line(m))
	}
	return strings.Join(all, "<br>")
}

// distinct gives each value once, in the order of the members.
func distinct[T any](members []T, value func(T) string) []string {
	var all []string
	for _, m := range members {
		if v := value(m); !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// TestSpecificationsHold compares what drivers say of themselves with what they do and what is built in.
func TestSpecificationsHold(t *testing.T) {
	layers, err := os.ReadDir(filepath.Join(root, "connectors", "catalogue", "base"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drivers() {
		s := d.Specification()
		if s.Speaks == "" || s.Limits == "" || len(s.Dialects) == 0 || len(s.Logins) == 0 || len(s.Pages) == 0 || len(s.Kits) == 0 {
			t.Errorf("%s: its specification is not whole: %+v", d.Name(), s)
		}
		if told := (&definition.Definition{Driver: d.Name()}).Passes(); told != s.Passes {
			t.Errorf("%s: it passes %q, and definitions say %q", d.Name(), s.Passes, told)
		}
		for _, kit := range s.Kits {
			if !slices.ContainsFunc(layers, func(e os.DirEntry) bool { return "base/"+e.Name() == kit+".yaml" }) {
				t.Errorf("%s: there is no layer %s", d.Name(), kit)
			}
		}
	}
}
