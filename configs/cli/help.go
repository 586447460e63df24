package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"gantry/configs"
)

// Glossary explains words that are no commands: findings, error codes.
type Glossary struct {
	Explain func(w io.Writer, word string) (known bool, err error)
	Words   []string
}

// Help is the command `help`, for commands and for the words of a glossary. Set it as a root's help command.
func (f *Frame) Help(g Glossary) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND | ID]", Short: "Explain a command, a finding of a diagnosis, or an error code",
		Long: `Explain a command, a finding of a diagnosis (NET-407), or an error code of the API
(AGENT_OFFLINE). It needs neither a network nor a running service.`,
		ValidArgsFunction: Complete(Words(g.Words...)),
		RunE: func(cmd *cobra.Command, words []string) error {
			if len(words) == 1 {
				if known, err := g.Explain(f.Out, words[0]); known || err != nil {
					return err
				}
			}
			found, rest, err := cmd.Root().Find(words)
			if err == nil && len(rest) == 0 && found != nil {
				return found.Help()
			}
			return g.unknown(cmd.Root(), words)
		},
	}
}

// unknown answers for a word that is neither, with the near one.
func (g Glossary) unknown(root *cobra.Command, words []string) error {
	names := append([]string{}, g.Words...)
	for _, sub := range root.Commands() {
		if sub.IsAvailableCommand() {
			names = append(append(names, sub.Name()), sub.Aliases...)
		}
	}
	word := strings.Join(words, " ")
	fix := helpOf(root)
	for _, spelled := range []string{word, strings.ToUpper(word)} {
		if near := configs.Nearest(spelled, names); near != "" {
			fix = "Did you mean: " + root.Name() + " help " + near
		}
	}
	return Fail(ExitUsage, fix, "%q is no command, no finding and no error code of %s", word, root.Name())
}
