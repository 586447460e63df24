package main

import (
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/configs/cli/clitest"
	"gantry/relay/admin"
)

var update = flag.Bool("update", false, "write docs/cli.md, docs/man and docs/schemas anew")

// documents are the --json documents of all commands: the one place where a new command is listed.
var documents = clitest.Documents{
	"completion":    clitest.NoDocument{Why: "it is for shells"},
	"config check":  configDocument{},
	"config sample": sampleDocument{},
	"db backup":     backupDocument{},
	"db check":      checkDocument{},
	"help":          clitest.NoDocument{Why: "it is for people"},
	"keys create":   keyDocument{},
	"keys list":     list[admin.Key]{},
	"keys revoke":   keyDocument{},
	"orgs create":   organisationDocument{},
	"orgs list":     list[admin.Organisation]{},
	"serve":         clitest.NoDocument{Why: "it serves"},
	"version":       cli.Version{},
}

func commandTree() *cobra.Command {
	return newApp(strings.NewReader(""), io.Discard, io.Discard).commands()
}

func TestEveryDocumentIsListed(t *testing.T) { clitest.Listed(t, commandTree(), documents) }

func TestGenerated(t *testing.T) { clitest.Generated(t, commandTree(), documents, *update) }
