package cli

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Program is one of the two command lines.
type Program struct {
	Name, Short string
	Long        string // what it is, with the commands to begin with; the exit codes are added
	Version     string
	Config      string                   // where its configuration is without --config, in words
	Folder      string                   // the flag that names its own folder: state-dir or data-dir
	Classify    func(err error) *Failure // exit code and advice of the program's own errors; nil: not one of them
}

// Frame is one run of a program: its streams, and the global flags, which are read before a command runs.
type Frame struct {
	In        io.Reader
	Out, Talk io.Writer

	ConfigFile     string // absolute; empty: the default place
	Folder         string // --state-dir or --data-dir, absolute; empty: the configuration's
	JSON, NoColor  bool
	Quiet, Verbose bool
	Yes            bool
	Timeout        time.Duration

	program Program
	colour  bool // the answer goes to a terminal that shows colours
	ascii   bool // the answer goes to a terminal without UTF-8
}

// New makes the frame of one run.
func New(p Program, in io.Reader, out, talk io.Writer) *Frame {
	return &Frame{In: in, Out: plain(out), Talk: plain(talk), program: p, colour: colourful(out), ascii: asciiOnly(out)}
}

// Root is the program's first command, with the global flags and the commands below it.
func (f *Frame) Root(commands ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use: f.program.Name, Short: f.program.Short, Long: f.program.Long + "\n\n" + exitHelp(),
		Args: unknown, SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return f.prepare(cmd) },
		RunE:              showHelp,
	}
	root.SetIn(f.In)
	root.SetOut(f.Out)
	root.SetErr(f.Talk)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(f.showHelpOf)
	root.SetUsageFunc(f.showUsageOf)
	f.globals(root.PersistentFlags())
	root.AddCommand(commands...)
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	completion(root)
	return root
}

// completion is cobra's command for it, which answers for a shell that it does not know as every group does.
func completion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Short = "Write what a shell needs to complete the words of this program"
			cmd.Use, cmd.Long = "completion {bash | zsh | fish | powershell}", completionHelp(root.Name())
			cmd.Args, cmd.RunE = unknown, showHelp
		}
	}
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// globals are the flags of every command.
func (f *Frame) globals(flags *pflag.FlagSet) {
	flags.StringVar(&f.ConfigFile, "config", "", "configuration `file` ("+f.program.Config+")")
	flags.StringVar(&f.Folder, f.program.Folder, "", f.program.folderUse())
	flags.BoolVar(&f.JSON, "json", false, "answer with one JSON document")
	flags.BoolVar(&f.NoColor, "no-color", false, "no colours, as with NO_COLOR")
	flags.BoolVarP(&f.Quiet, "quiet", "q", false, "say nothing but the answer and errors")
	flags.BoolVarP(&f.Verbose, "verbose", "v", false, "say more")
	flags.DurationVar(&f.Timeout, "timeout", 30*time.Second, "give up after this `time`; a service does not")
	flags.BoolVar(&f.Yes, "yes", false, "do not ask back")
}

func (p Program) folderUse() string {
	word, _, _ := strings.Cut(p.Folder, "-")
	return word + " `folder` (default: the configuration's " + word + "_dir)"
}

// prepare makes the paths absolute at once: a service may start elsewhere.
func (f *Frame) prepare(cmd *cobra.Command) error {
	for _, path := range []*string{&f.ConfigFile, &f.Folder} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return Fail(ExitUsage, "Give the whole path.", "find %s: %w", *path, err)
		}
		*path = absolute
	}
	if f.Timeout <= 0 {
		return Fail(ExitUsage, helpOf(cmd), "--timeout must be positive")
	}
	f.colour = f.colour && !f.NoColor
	return nil
}

func completionHelp(program string) string {
	return `Write what a shell needs to complete the commands, flags and ids of this program. For bash, now:

  source <(` + program + ` completion bash)

The packages bring it for all users; the help of each shell says how to keep it.`
}

// Bounded gives a command's context with --timeout as its end.
func (f *Frame) Bounded(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return context.WithTimeout(cmd.Context(), f.Timeout)
}

// Run runs one command line and gives the exit code.
func (f *Frame) Run(ctx context.Context, root *cobra.Command, args []string) int {
	trapDoubleClick(f.program.Name)
	root.SetArgs(args)
	if err := lost(root, args); err != nil {
		return f.finish(err)
	}
	return f.finish(root.ExecuteContext(ctx))
}
