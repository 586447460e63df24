package bundle

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write docs/bundle.md anew")

const preface = "# The bundle\n\n" +
	"Generated from the table in `agent/bundle`; `make generate` writes it anew.\n\n" +
	"`gantry-agent bundle` makes a zip for support. Look at it before you send it: `--preview` prints every file and writes none;\n" +
	"`--anonymize` gives hosts, addresses, connections and users aliases, each the same everywhere. Nobody gets it but whom you send\n" +
	"it to; a bundle that support asks for from afar obeys `support` in agent.yaml.\n\n" +
	"| file | what it is |\n| --- | --- |\n"

const rest = `
## What is never in it

Rows, bodies of calls, answers of writes, idempotency keys, and the content of password files. What is no member of ` + "`bundle.Contents`" + `
cannot get in. Of the environment only the variables listed in ` + "`agent/bundle/host.go`" + ` are read, and logins in proxy URLs are cut out.

## The proof

The archive is made by the process that knows the secrets: the running agent; without it the command line, with the vault on the disk.

1. Foreign texts (log, journal, crashes, the service's definition) lose what looks like a login: ` + "`://user:…@`, `password=…`" + `,
   authorization headers, tokens of ours.
2. Every secret that the agent knows gets a gap, ` + "`[redacted]`" + `, in every text file: connection credentials, the proxy's password, enrolment
   tokens that lie about, the TLS, sealing and cursor keys, the vault's key. A recording cannot have a gap: with a secret in it, it is left out.
3. The finished archive is read again, and contents and names are searched for the same secrets: as they are, in base64 (both alphabets, any
   alignment, over line ends), hex, URL, JSON, Go, XML and HTML escapes, UTF-16, lists of numbers, and up to three of these within one another. A find
   refuses the archive: nothing is written, and the error names the file and the kind of secret.

Where the vault does not open, nothing can be proved: foreign texts are left out, and the manifest says so.

Limits, which are decisions: a secret of less than 4 bytes is not searched for, since it would be found by chance in every archive (the manifest
counts them); one of less than 8 bytes is not searched for in what had to be decoded twice. A login that is a common word (` + "`gantry`" + `) is
hidden wherever it stands, and can be guessed from its gaps: choose a better one. A secret that was cut in two, encrypted or compressed is not found.

## Crashes

A panic, or SIGQUIT, leaves a file beside the log (` + "`crash-*.txt`" + `, mode 0600, the newest five), on Windows as well, where a service has no standard error.
`

func TestDocumentIsCurrent(t *testing.T) {
	var want bytes.Buffer
	want.WriteString(preface)
	for _, f := range Files() {
		want.WriteString("| `" + f.Name + "` | " + f.What + " |\n")
	}
	want.WriteString(rest)
	path := filepath.Join("..", "..", "docs", "bundle.md")
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/bundle.md is stale: make generate")
	}
}

// TestEveryFileIsInTheTable fails when Contents writes a file that the document does not name.
func TestEveryFileIsInTheTable(t *testing.T) {
	known := map[string]bool{}
	for _, f := range Files() {
		known[f.Name] = true
	}
	for name := range made(t, planted(t), Options{Secrets: secrets()}) {
		if !known[name] && name != "crashes/crash-1.txt" {
			t.Errorf("%s is not in the table", name)
		}
	}
}
