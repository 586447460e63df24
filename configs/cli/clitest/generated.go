package clitest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"

	"gantry/configs/cli"
)

// docs is the folder of the published documents, seen from a program's package.
var docs = filepath.Join("..", "..", "..", "docs")

// Generated checks, or with update writes, everything that is published of a program: its part of docs/cli.md, its man
// pages, and the schemas of its documents.
func Generated(t *testing.T, root *cobra.Command, documents Documents, update bool) {
	t.Helper()
	root.InitDefaultHelpCmd()
	files := map[string][]byte{}
	reference(t, root, files)
	manual(root, files)
	schemas(root, documents, files)
	for name, want := range files {
		current(t, filepath.Join(docs, name), want, update)
	}
	leftovers(t, root.Name(), files, update)
}

// current compares a file with what it should be.
func current(t *testing.T, file string, want []byte, update bool) {
	t.Helper()
	if update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is stale: make generate (%v)", filepath.Clean(file), err)
	}
}

// leftovers are schemas of commands that are gone.
func leftovers(t *testing.T, program string, files map[string][]byte, update bool) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(docs, "schemas", program, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		_, wanted := files[filepath.Join("schemas", program, filepath.Base(file))]
		switch {
		case wanted:
		case !update:
			t.Errorf("%s is of no command: make generate", file)
		case os.Remove(file) != nil:
			t.Errorf("%s cannot be removed", file)
		}
	}
}

// manual writes the one man page of a program, docs/man/PROGRAM.1, from the same text as docs/cli.md.
func manual(root *cobra.Command, files map[string][]byte) {
	var b strings.Builder
	fmt.Fprintf(&b, "%% %q \"1\" \"\" \"Gantry\" \"Gantry\"\n# NAME\n%s - %s\n\n", strings.ToUpper(root.Name()), root.Name(), strings.ToLower(root.Short))
	fmt.Fprintf(&b, "# SYNOPSIS\n**%s** *COMMAND* [flags]\n\n# DESCRIPTION\n%s\n# GLOBAL FLAGS\n%s\n# COMMANDS\n", root.Name(), block(cli.Reflow(root.Long)), block(globalFlags(root)))
	for _, cmd := range commandsOf(root) {
		describe(&b, "##", cmd)
	}
	b.WriteString("\n# EXIT STATUS\n")
	for _, c := range cli.ExitCodes() {
		if !c.Reserved {
			fmt.Fprintf(&b, "**%d**\n: %s\n\n", c.Code, c.Meaning)
		}
	}
	files[filepath.Join("man", root.Name()+".1")] = md2man.Render([]byte(b.String()))
}

func globalFlags(root *cobra.Command) string {
	return root.PersistentFlags().FlagUsagesWrapped(cli.Columns)
}

// reference writes the program's part of docs/cli.md, and leaves the other's as it is.
func reference(t *testing.T, root *cobra.Command, files map[string][]byte) {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n" + block(cli.Reflow(root.Long)) + "\nFlags of every command:\n\n" + block(globalFlags(root)))
	for _, cmd := range commandsOf(root) {
		describe(&b, "###", cmd)
	}
	before, err := os.ReadFile(filepath.Join(docs, "cli.md"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	files["cli.md"] = []byte(introduction() + parts(string(before), root.Name(), b.String()))
	files[filepath.Join("schemas", "failed.json")] = encode(schemaOf("a command that failed, with --json", cli.Failed{}, false))
}

// introduction is what both programs have in common.
func introduction() string {
	var b strings.Builder
	b.WriteString("# Command lines\n\nGenerated from the commands; `make generate` writes it anew.\n\n" +
		"With `--json` a command answers with one document on standard output, also when it fails ([failed.json](schemas/failed.json)).\n" +
		"[schemas](schemas) has the JSON Schema of each. Its `schema` grows when a member changes its meaning; members are only ever added.\n\n" +
		"## Exit codes\n\nThe same in both programs, and stable.\n\n| code | meaning |\n| --- | --- |\n")
	for _, c := range cli.ExitCodes() {
		reserved := ""
		if c.Reserved {
			reserved = " (kept for self-update)"
		}
		b.WriteString("| " + itoa(c.Code) + " | " + c.Meaning + reserved + " |\n")
	}
	return b.String()
}

// parts puts a program's part into the text of docs/cli.md, whose parts begin with the programs' names as headings.
func parts(before, program, part string) string {
	all := map[string]string{program: part}
	for piece := range strings.SplitSeq(before, "\n## gantry-") {
		if name, text, ok := strings.Cut(piece, "\n"); ok && !strings.HasPrefix(piece, "# ") && "gantry-"+name != program {
			all["gantry-"+name] = strings.TrimRight(text, "\n") + "\n"
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.WriteString("\n## " + name + "\n" + all[name])
	}
	return b.String()
}

// describe writes one command.
func describe(b *strings.Builder, heading string, cmd *cobra.Command) {
	b.WriteString("\n" + heading + " " + cmd.CommandPath() + "\n\n" + cmd.Short + ".\n")
	if len(cmd.Aliases) > 0 {
		b.WriteString("Also: `" + strings.Join(cmd.Aliases, "`, `") + "`.\n")
	}
	text := cmd.UseLine() + "\n"
	if cmd.Long != "" {
		text = cli.Reflow(cmd.Long) + "\n\n" + text
	}
	if flags := cmd.NonInheritedFlags().FlagUsagesWrapped(cli.Columns); flags != "" {
		text += "\n" + flags
	}
	if cmd.Example != "" {
		text += "\nExamples:\n" + cmd.Example
	}
	b.WriteString("\n" + block(text))
}

func block(text string) string { return "```\n" + strings.Trim(text, "\n") + "\n```\n" }

// commandsOf gives all commands that do something, in the order of the help.
func commandsOf(cmd *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.Hidden || sub.Name() == "help" && !sub.Runnable() {
			continue
		}
		if sub.HasAvailableSubCommands() && sub.Name() != "completion" { // whose four say the same
			all = append(all, commandsOf(sub)...)
			continue
		}
		all = append(all, sub)
	}
	return all
}
