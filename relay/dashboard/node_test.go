package dashboard

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// node runs a module beside those of the pages, and gives what it prints.
func node(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil && os.Getenv("GANTRY_REQUIRE_ALL") == "" {
		t.Skip("needs Node")
	}
	command := exec.Command("node", append([]string{"--input-type=module", "-e", script}, args...)...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s%s", err, out, &stderr)
	}
	return out
}

// inNode gives a module a value, and reads the texts that it prints.
func inNode(t *testing.T, script string, input any) (said []string) {
	t.Helper()
	given, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	out := node(t, script, string(given))
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return said
}
