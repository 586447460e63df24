package main

import (
	"errors"

	"github.com/spf13/cobra"

	"gantry/configs"
	"gantry/configs/cli"
)

// configDocument is the --json form of `config check`.
type configDocument struct {
	Schema   int               `json:"schema"`
	OK       bool              `json:"ok"`
	Problems []configs.Problem `json:"problems"`
}

// sampleDocument is the --json form of `config sample`.
type sampleDocument struct {
	Schema int    `json:"schema"`
	Sample string `json:"sample"`
}

func (a *app) config() *cobra.Command {
	return cli.Group("config", "Check the configuration, or print a sample", a.configCheck(), a.configSample())
}

func (a *app) configCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Tell everything that is wrong with the configuration", Args: cli.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if _, err := a.load(); err != nil {
				return a.checkFailed(err)
			}
			a.Answer(configDocument{schema, true, []configs.Problem{}}, "The configuration is valid.")
			return nil
		},
	}
}

// checkFailed prints the problems: as the answer with --json, as talk otherwise.
func (a *app) checkFailed(err error) error {
	problems, ok := errors.AsType[*configs.Problems](err)
	if !ok || !a.JSON {
		return err
	}
	a.PrintJSON(configDocument{schema, false, problems.List})
	return cli.Told(cli.ExitConfig)
}

func (a *app) configSample() *cobra.Command {
	return &cobra.Command{
		Use: "sample", Short: "Print a configuration with every key, its meaning and its default", Args: cli.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			a.Answer(sampleDocument{schema, configs.RelaySample}, configs.RelaySample)
			return nil
		},
	}
}
