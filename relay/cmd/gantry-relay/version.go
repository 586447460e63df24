package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
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
			v := versionDocument{schema, version, runtime.Version(), runtime.GOOS, runtime.GOARCH}
			a.answer(v, fmt.Sprintf("gantry-relay %s (%s, %s/%s)", v.Version, v.Go, v.OS, v.Arch))
			return nil
		},
	}
}
