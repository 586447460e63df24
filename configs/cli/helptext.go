package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// showHelpOf prints what a command is, and how it is used, within 80 columns.
func (f *Frame) showHelpOf(cmd *cobra.Command, _ []string) {
	text := cmd.Short + "."
	if cmd.Long != "" {
		text = Reflow(cmd.Long)
	}
	f.Print("%s\n", text)
	_ = f.showUsageOf(cmd) // it gives no error
}

// showUsageOf prints how a command is used.
func (f *Frame) showUsageOf(cmd *cobra.Command) error {
	f.Print("Usage:\n  %s", usageLine(cmd))
	if rows := subcommands(cmd); len(rows) > 0 {
		f.Print("\nCommands:")
		f.Rows("  ", rows)
	}
	if len(cmd.Aliases) > 0 {
		f.Print("\nAlso: %s", strings.Join(cmd.Aliases, ", "))
	}
	if cmd.Example != "" {
		f.Print("\nExamples:\n%s", cmd.Example)
	}
	local, global := cmd.NonInheritedFlags(), cmd.InheritedFlags()
	if !cmd.HasParent() {
		local, global = pflag.NewFlagSet("", pflag.ContinueOnError), cmd.PersistentFlags()
	}
	f.showFlags("Flags", local)
	f.showFlags("Flags of every command", global)
	if cmd.HasAvailableSubCommands() {
		f.Print("\nMore about one: %s COMMAND --help", cmd.CommandPath())
	}
	return nil
}

// showFlags prints a set of flags, but for --help, which everybody has found by now.
func (f *Frame) showFlags(title string, flags *pflag.FlagSet) {
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "help" {
			shown.AddFlag(flag)
		}
	})
	if shown.HasAvailableFlags() {
		f.Print("\n%s:\n%s", title, strings.TrimRight(shown.FlagUsagesWrapped(Columns), "\n"))
	}
}

// usageLine is cobra's, but for a command that only has others below it.
func usageLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() && cmd.Name() == cmd.Use {
		return cmd.CommandPath() + " COMMAND"
	}
	return cmd.UseLine()
}

func subcommands(cmd *cobra.Command) [][]string {
	var rows [][]string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			rows = append(rows, []string{sub.Name(), sub.Short})
		}
	}
	return rows
}

// Reflow breaks the paragraphs of a text anew, at 80 columns. Lines that begin with a space or a tab stay as they are.
func Reflow(text string) string {
	var lines []string
	paragraph := ""
	end := func() {
		if paragraph != "" {
			lines = append(lines, wrap(paragraph, Columns)...)
			paragraph = ""
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || line[0] == ' ' || line[0] == '\t' {
			end()
			lines = append(lines, line)
			continue
		}
		paragraph = strings.TrimPrefix(paragraph+" "+line, " ")
	}
	end()
	return strings.Join(lines, "\n")
}
