//go:build prove

package house

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gantry/docs"
)

// What the proof stands on. The client's runtime is no dependency of the product.
const (
	linter        = "@redocly/cli@2.77.0"
	clientRuntime = "github.com/oapi-codegen/runtime@v1.8.0"
)

// TestOpenAPIIsSound: a public linter finds no error in the document, and nothing to warn of.
func TestOpenAPIIsSound(t *testing.T) {
	lint := exec.Command("npx", "--yes", linter, "lint", "--format=json", "../docs/openapi.json") // npx comes with Debian's npm
	var stdout, stderr bytes.Buffer
	lint.Stdout, lint.Stderr = &stdout, &stderr
	ended := lint.Run()
	var found struct {
		Totals   struct{ Errors, Warnings int }
		Problems []struct{ RuleID, Severity, Message string }
	}
	if err := json.Unmarshal(stdout.Bytes(), &found); err != nil {
		t.Fatalf("%s: %v, %v\n%s%s", linter, ended, err, &stdout, &stderr)
	}
	t.Logf("%s: %d errors, %d warnings", linter, found.Totals.Errors, found.Totals.Warnings)
	for _, p := range found.Problems {
		t.Errorf("%s (%s): %s", p.Severity, p.RuleID, p.Message)
	}
	operations, paths := theContract(t).size()
	t.Logf("the document has %d operations at %d paths, %d KiB", operations, paths, len(docs.OpenAPI)>>10)
}

// TestOpenAPIMakesAClient: the client that oapi-codegen makes of the document compiles, and makes the calls of the demo.
func TestOpenAPIMakesAClient(t *testing.T) {
	folder := t.TempDir()
	generated := filepath.Join(folder, "client.go")
	command(t, ".", nil, "go", "tool", "-modfile=../.ci/tools.mod", "oapi-codegen", "-generate", "types,client", "-package", "main", "-o", generated, "../docs/openapi.json")
	program, err := os.ReadFile("testdata/openapi/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "main.go"), program, 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, folder, nil, "go", "mod", "init", "generated")
	command(t, folder, nil, "go", "get", clientRuntime)
	command(t, folder, nil, "go", "build", "-o", "tour", ".")
	lines, err := os.ReadFile(generated)
	if err != nil {
		t.Fatal(err)
	}
	d := connected(t)
	said := command(t, folder, []string{"RELAY=" + d.url, "KEY=" + d.admin.Token, "SITE=" + d.site, "PLANT=" + d.login.Settings["path"].(string)}, "./tour")
	t.Logf("%d lines of client compile; it says: %s", bytes.Count(lines, []byte("\n")), strings.Join(strings.Fields(said), " "))
	if !strings.Contains(said, "calls 15\n") || !strings.Contains(said, "streamed 1500\n") {
		t.Errorf("it made not all of the calls: %s", said)
	}
}

// command runs a program in a folder and gives what it printed.
func command(t *testing.T, folder string, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Env = folder, append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
