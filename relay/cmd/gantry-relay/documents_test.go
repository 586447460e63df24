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
	"gantry/tunnel/check"
)

var update = flag.Bool("update", false, "write docs/cli.md, docs/man and docs/schemas anew")

// documents are the --json documents of all commands: the one place where a new command is listed.
var documents = clitest.Documents{
	"completion":             clitest.NoDocument{Why: "it is for shells"},
	"config check":           configDocument{},
	"config sample":          sampleDocument{},
	"dashboard link":         linkDocument{},
	"db backup":              backupDocument{},
	"db check":               checkDocument{},
	"help":                   clitest.NoDocument{Why: "it is for people"},
	"keys create":            keyDocument{},
	"keys list":              list[admin.Key]{},
	"keys revoke":            keyDocument{},
	"orgs create":            organisationDocument{},
	"orgs credits":           organisationDocument{},
	"orgs list":              list[admin.Organisation]{},
	"serve":                  clitest.NoDocument{Why: "it serves"},
	"version":                cli.Version{},
	"agents bundle":          clitest.Unshown{Document: fileDocument{}, Why: "it needs an agent: house/support_test.go"},
	"agents diagnose":        clitest.Unshown{Document: check.Report{}, Why: "as agents bundle"},
	"agents list":            list[agent]{},
	"agents logs":            clitest.NoDocument{Why: "it shows a log as it is"},
	"agents revoke":          clitest.Unshown{Document: endedDocument{}, Why: "as agents bundle"},
	"agents show":            clitest.Unshown{Document: agentDocument{}, Why: "as agents bundle"},
	"audit tail":             list[auditEntry]{},
	"connections diagnose":   clitest.Unshown{Document: diagnosis{}, Why: "it needs an agent: house/status_test.go"},
	"connections events":     clitest.Unshown{Document: list[event]{}, Why: "as connections diagnose"},
	"connections list":       list[connection]{},
	"connections disconnect": clitest.Unshown{Document: lifeDocument{}, Why: "it needs an agent: house/life_test.go"},
	"connections pause":      clitest.Unshown{Document: lifeDocument{}, Why: "as connections disconnect"},
	"connections reconnect":  clitest.Unshown{Document: lifeDocument{}, Why: "as connections disconnect"},
	"connections relink":     clitest.Unshown{Document: lifeDocument{}, Why: "as connections disconnect"},
	"connections resume":     clitest.Unshown{Document: lifeDocument{}, Why: "as connections disconnect"},
	"connections token":      clitest.Unshown{Document: lifeDocument{}, Why: "as connections disconnect"},
	"connections status":     clitest.Unshown{Document: connectionStatusDocument{}, Why: "as connections diagnose"},
	"doctor":                 check.Report{},
	"sites create":           tokenDocument{},
	"sites delete":           endedDocument{},
	"sites list":             list[site]{},
	"sites show":             siteDocument{},
	"sites token":            tokenDocument{},
	"status":                 statusDocument{},
	"webhooks deliveries":    clitest.Unshown{Document: list[delivery]{}, Why: "it needs a webhook: house/webhooks_test.go"},
	"webhooks list":          list[webhook]{},
	"webhooks resend":        clitest.Unshown{Document: deliveryDocument{}, Why: "as webhooks deliveries"},
}

func commandTree() *cobra.Command {
	return newApp(strings.NewReader(""), io.Discard, io.Discard).commands()
}

func TestEveryDocumentIsListed(t *testing.T) { clitest.Listed(t, commandTree(), documents) }

func TestGenerated(t *testing.T) { clitest.Generated(t, commandTree(), documents, *update) }
