package main

import (
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/configs/cli"
	"gantry/configs/cli/clitest"
	"gantry/tunnel/check"
)

var update = flag.Bool("update", false, "write docs/cli.md, docs/man and docs/schemas anew")

// documents are the --json documents of all commands: the one place where a new command is listed.
var documents = clitest.Documents{
	"completion":        clitest.NoDocument{Why: "it is for shells"},
	"bundle":            bundleDocument{},
	"config check":      checkDocument{},
	"config path":       pathDocument{},
	"config show":       configDocument{},
	"connections list":  connectionsDocument{},
	"connectors lint":   lintDocument{},
	"connectors new":    begunDocument{},
	"connectors schema": clitest.NoDocument{Why: "what it prints is a JSON document already, of JSON Schema's own form"},
	"connectors test":   trialDocument{},
	"connectors list":   systemsDocument{},
	"connectors show":   systemDocument{},
	"doctor":            check.Report{},
	"enroll":            enrolledDocument{},
	"help":              clitest.NoDocument{Why: "it is for people"},
	"install":           clitest.Either{planDocument{}, installedDocument{}},
	"logs":              lineDocument{},
	"netcheck":          netDocument{},
	"policy show":       policyDocument{},
	"reload":            reloadedDocument{},
	"restart":           clitest.Unshown{Document: serviceDocument{}, Why: "it needs the service manager: house/*_prove_test.go"},
	"run":               clitest.NoDocument{Why: "it serves"},
	"start":             clitest.Unshown{Document: serviceDocument{}, Why: "as restart"},
	"status":            statusDocument{},
	"stop":              clitest.Unshown{Document: serviceDocument{}, Why: "as restart"},
	"unenroll":          unenrolledDocument{},
	"uninstall":         clitest.Unshown{Document: uninstalledDocument{}, Why: "as restart"},
	"version":           cli.Version{},
	"writes list":       writesDocument{},
	"writes settle":     settledDocument{},
	"policy allow":      changeDocument{},
	"policy deny":       changeDocument{},
	"connections check": check.Report{},
	"connections reset": connectionDocument{},

	"connections discover": discoveredDocument{},
	"support off":          control.Support{},
	"support on":           control.Support{},
	"support status":       control.Support{},
}

func commandTree() *cobra.Command {
	return newApp(strings.NewReader(""), io.Discard, io.Discard).commands()
}

func TestEveryDocumentIsListed(t *testing.T) { clitest.Listed(t, commandTree(), documents) }

func TestGenerated(t *testing.T) { clitest.Generated(t, commandTree(), documents, *update) }
