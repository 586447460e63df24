package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// Version is the --json document of `version`.
type Version struct {
	Schema  int    `json:"schema"`
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Version is the command that shows the program's version.
func (f *Frame) Version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version", Args: Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			v := Version{Schema, f.program.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH}
			f.Answer(v, fmt.Sprintf("%s %s (%s, %s/%s)", f.program.Name, v.Version, v.Go, v.OS, v.Arch))
			return nil
		},
	}
}
