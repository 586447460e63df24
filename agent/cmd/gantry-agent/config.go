package main

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"gantry/agent/control"
	"gantry/configs"
	"gantry/configs/cli"
)

func (a *app) config() *cobra.Command {
	return cli.Group("config", "Check and show the configuration",
		&cobra.Command{Use: "check", Short: "Say everything that is wrong with the configuration", Args: cli.Args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return a.configCheck() }},
		&cobra.Command{Use: "show", Short: "Show the values that hold, and where each comes from", Args: cli.Args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return a.configShow() }},
		&cobra.Command{Use: "path", Short: "Show which file is read", Args: cli.Args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return a.configPath() }},
	)
}

// checkDocument is the --json form of `config check`.
type checkDocument struct {
	Schema   int               `json:"schema"`
	File     string            `json:"file"`
	Exists   bool              `json:"exists"`
	Valid    bool              `json:"valid"`
	Problems []configs.Problem `json:"problems"`
}

func (a *app) configCheck() error {
	_, err := a.load()
	problems, faulty := errors.AsType[*configs.Problems](err)
	if err != nil && !faulty {
		return err
	}
	_, missing := os.Stat(a.file())
	if a.JSON {
		document := checkDocument{control.Schema, a.file(), missing == nil, !faulty, []configs.Problem{}}
		if faulty {
			document.Problems = problems.List
		}
		a.PrintJSON(document)
		if faulty {
			return cli.Told(cli.ExitConfig)
		}
		return nil
	}
	if faulty {
		return err
	}
	if missing != nil {
		a.Print("%s is not there: the defaults hold, and the policy allows nothing.", a.file())
		return nil
	}
	a.Print("%s is valid.", a.file())
	return nil
}

func (a *app) configPath() error {
	_, missing := os.Stat(a.file())
	a.Answer(pathDocument{control.Schema, a.file(), missing == nil}, a.file())
	return nil
}

// configShow prints the effective values as YAML, each with its origin. There is no secret in a configuration.
func (a *app) configShow() error {
	config, err := a.load()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(a.file())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var document yaml.Node
	if err := document.Encode(config); err != nil {
		return err
	}
	if a.JSON {
		var values map[string]any
		if err := document.Decode(&values); err != nil {
			return err
		}
		a.PrintJSON(configDocument{control.Schema, a.file(), values})
		return nil
	}
	originate(&document, "", configs.AgentLines(a.file(), data), a.Folder != "")
	encoder := yaml.NewEncoder(a.Out)
	encoder.SetIndent(2)
	return errors.Join(encoder.Encode(&document), encoder.Close())
}

// originate writes behind every value where it comes from.
func originate(n *yaml.Node, path string, lines map[string]int, stateFlag bool) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		if value.Kind == yaml.MappingNode && len(value.Content) > 0 {
			originate(value, at, lines, stateFlag)
			continue
		}
		commented := value
		if value.Kind == yaml.SequenceNode && len(value.Content) > 0 {
			commented = key
		}
		commented.LineComment = origin(at, lines, stateFlag)
	}
}

func origin(path string, lines map[string]int, stateFlag bool) string {
	switch line := lines[path]; {
	case path == "state_dir" && stateFlag:
		return "--state-dir"
	case line > 0:
		return "line " + strconv.Itoa(line)
	}
	return "default"
}
