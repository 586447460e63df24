package configs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAgentSettings(t *testing.T) {
	got := AgentSettings("agent.yaml", []byte("# ours\nsessions: 4\nproxy:\n  url: http://proxy:3128\npolicy:\n  targets:\n    - db:5432\n    - '*.plant:1433'\n  connections: {erp: {max_rows: 5}}\n"))
	want := []Setting{
		{"sessions", "4", 2}, {"proxy.url", "http://proxy:3128", 4}, {"policy.targets", "[db:5432, *.plant:1433]", 6}, {"policy.connections.erp.max_rows", "5", 9},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", "# nothing", "a: [", "just text", "- a\n"} {
		if got := AgentSettings("agent.yaml", []byte(text)); len(got) > 1 {
			t.Errorf("%q: %v", text, got)
		}
	}
}
