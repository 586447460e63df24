package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"gantry/agent/control"
)

// versionDocument is the --json form of `version`.
type versionDocument struct {
	Schema  int    `json:"schema"`
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version", Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			v := versionDocument{control.Schema, version, runtime.Version(), runtime.GOOS, runtime.GOARCH}
			if a.json {
				a.printJSON(v)
				return nil
			}
			a.print("gantry-agent %s (%s, %s/%s)", v.Version, v.Go, v.OS, v.Arch)
			return nil
		},
	}
}
