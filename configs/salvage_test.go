package configs

import (
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSalvage(t *testing.T) {
	proxy := DefaultAgent()
	proxy.Proxy.URL = "http://proxy:3128"
	for _, tt := range []struct {
		name, text string
		want       Agent
	}{
		{"a faulty policy is no policy", "proxy: {url: \"http://proxy:3128\"}\npolicy:\n  writes: true\n  targets: [db]\n", proxy},
		{"an unknown key changes nothing else", "proxy: {url: \"http://proxy:3128\"}\nsesions: 2\n", proxy},
		{"a faulty proxy is none", "proxy: {url: \"ftp://proxy\"}\n", DefaultAgent()},
		{"faulty numbers and words are the usual", "sessions: 99\nsupport: maybe\nlog: {level: loud}\n", DefaultAgent()},
		{"no YAML is no file", "{{{", DefaultAgent()},
		{"an empty folder is the usual", "state_dir: \"\"\n", DefaultAgent()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config, err := ParseAgent("/etc/gantry-agent/agent.yaml", []byte(tt.text))
			problems, ok := errors.AsType[*Problems](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(tt.want, Salvage(config, problems)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSalvageKnowsEveryKey fails when a key is added that Salvage would leave faulty.
func TestSalvageKnowsEveryKey(t *testing.T) {
	known := []string{"state_dir", "proxy", "ca_file", "sessions", "log", "support", "policy", "definitions"}
	if diff := cmp.Diff(known, topKeys[Agent]()); diff != "" {
		t.Errorf("teach Salvage the new key: %s", diff)
	}
}

func topKeys[T any]() []string {
	var keys []string
	for field := range reflect.TypeFor[T]().Fields() {
		keys = append(keys, field.Tag.Get("yaml"))
	}
	return keys
}
