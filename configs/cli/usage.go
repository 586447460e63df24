package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gantry/configs"
)

// Group is a command that only has others below it.
func Group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: unknown, RunE: showHelp}
	cmd.AddCommand(commands...)
	return cmd
}

// unknown answers for a word that is no command, with the near one.
func unknown(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(append(names, sub.Name()), sub.Aliases...)
		}
	}
	fix := helpOf(cmd)
	if near := configs.Nearest(args[0], names); near != "" {
		fix = "Did you mean: " + cmd.CommandPath() + " " + near
	}
	return Fail(ExitUsage, fix, "%q is no command of %s", args[0], cmd.CommandPath())
}

// lost answers for a word that is no command beside --help, for which cobra would show the help of the group.
func lost(root *cobra.Command, args []string) error {
	group, rest, err := root.Find(args)
	if err != nil || !group.HasAvailableSubCommands() {
		return nil // the command itself has something to say
	}
	group.InitDefaultHelpFlag()
	if group.ParseFlags(rest) != nil {
		return nil // as above
	}
	if help, err := group.Flags().GetBool("help"); err != nil || !help {
		return nil
	}
	return unknown(group, group.Flags().Args())
}

// flagError answers for a flag that is none, or has no value, with the near one.
func flagError(cmd *cobra.Command, err error) error {
	fix := helpOf(cmd)
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if !flag.Hidden {
				names = append(names, flag.Name)
			}
		})
		if near := configs.Nearest(missing.GetSpecifiedName(), names); near != "" {
			fix = "Did you mean: --" + near
		}
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return Fail(ExitUsage, kindOf(invalid.GetFlag()), "--%s cannot be %q", invalid.GetFlag().Name, invalid.GetValue())
	}
	return Fail(ExitUsage, fix, "%w", err)
}

// kindOf says how a flag's value is written.
func kindOf(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "duration":
		return "Write a time with its unit: 30s, 5m, 720h."
	case "bool":
		return "Write --" + flag.Name + " alone, or --" + flag.Name + "=false."
	case "int", "int64", "uint", "uint64":
		return "Write a whole number."
	}
	return "It is a " + flag.Value.Type() + "."
}

func helpOf(cmd *cobra.Command) string { return "See: " + cmd.CommandPath() + " --help" }

// Args wraps cobra's checks of the number of arguments: what is missing or too much is named, and exits with ExitUsage.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if check(cmd, given) == nil {
			return nil
		}
		fix := "Usage: " + cmd.UseLine()
		for n := len(given) - 1; n >= 0; n-- {
			if check(cmd, given[:n]) == nil {
				return Fail(ExitUsage, fix, "`%s` does not take %q", commandOf(cmd), given[n])
			}
		}
		_, operands, _ := strings.Cut(cmd.Use, " ")
		return Fail(ExitUsage, fix, "`%s` needs %s", commandOf(cmd), operands)
	}
}

// commandOf is a command's name without the program's, which stands before every failure.
func commandOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}
