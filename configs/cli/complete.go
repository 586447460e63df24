package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// completionTime is how long a shell waits for the words of a completion.
const completionTime = 2 * time.Second

// Complete offers the words that list gives for a command's one argument, or for a flag; a word may carry a description
// behind a tab. What cannot be listed is not offered: a completion says nothing.
func Complete(list func(ctx context.Context) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(given) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		return list(ctx), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteFlag offers the words for a flag, whatever the arguments are.
func CompleteFlag(cmd *cobra.Command, flag string, list func(ctx context.Context) []string) {
	complete := Complete(list)
	err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return complete(cmd, nil, begun)
	})
	if err != nil {
		panic(err) // the flag is not there: a mistake in the program
	}
}

// Words gives always the same ones.
func Words(words ...string) func(context.Context) []string {
	return func(context.Context) []string { return words }
}
