package configs

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

// uncommented turns on the optional keys of a sample: `#key:` without a space behind the `#`.
func uncommented(sample string) string {
	return regexp.MustCompile(`(?m)^( *)#(\w+:)`).ReplaceAllString(sample, "$1$2")
}

func sameYAML(t *testing.T, a, b any) bool {
	t.Helper()
	left, errLeft := yaml.Marshal(a)
	right, errRight := yaml.Marshal(b)
	if errLeft != nil || errRight != nil {
		t.Fatal(errLeft, errRight)
	}
	return bytes.Equal(left, right)
}

func TestReferenceIsCurrent(t *testing.T) {
	file := filepath.Join("..", "docs", "configuration.md")
	want := reference(t)
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/configuration.md is stale: go generate ./configs")
	}
}

// reference writes docs/configuration.md from the samples, which are the one place where keys are explained.
func reference(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("# Configuration\n\nGenerated from the samples in `configs/`; `go generate ./configs` writes it anew.\n\n" +
		"Both programs read one YAML file each, strictly: an unknown key or a value that makes no sense is an error, and all\n" +
		"errors are told at once with line and column. `config check` reads the file without starting anything.\n")
	for _, program := range []struct{ name, file, place string }{
		{"gantry-agent", "agent.yaml", "`/etc/gantry-agent/agent.yaml`, on Windows `%ProgramData%\\Gantry Agent\\agent.yaml`, or `--config`. Where it is missing, the defaults hold, and the policy allows nothing."},
		{"gantry-relay", "relay.yaml", "Named by `--config`."},
	} {
		sample, err := os.ReadFile(program.file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n## " + program.name + "\n\n" + program.place + "\n\n```yaml\n")
		b.Write(bytes.TrimRight(sample, "\n"))
		b.WriteString("\n```\n")
	}
	return b.Bytes()
}
