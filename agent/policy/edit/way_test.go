package edit

import (
	"errors"
	"strings"
	"testing"

	"gantry/configs"
)

func TestWay(t *testing.T) {
	for _, tt := range []struct{ name, before, after string }{
		{"an empty file", "", "proxy:\n  url: http://proxy:3128\nca_file: /etc/ca.pem\n"},
		{"empty texts", "proxy:\n  url: \"\" # none\nca_file: ''\n", "proxy:\n  url: http://proxy:3128 # none\nca_file: /etc/ca.pem\n"},
		{"another proxy", "ca_file: /etc/ca.pem\nproxy:\n  url: http://old:1\n", "ca_file: /etc/ca.pem\nproxy:\n  url: http://proxy:3128\n"},
		{"as it is", "ca_file: /etc/ca.pem\nproxy: {url: \"http://proxy:3128\"}\n", "ca_file: /etc/ca.pem\nproxy: {url: \"http://proxy:3128\"}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Way("agent.yaml", []byte(tt.before), "http://proxy:3128", "/etc/ca.pem")
			if err != nil || string(got) != tt.after {
				t.Errorf("got %v\n%s", err, got)
			}
		})
	}
}

func TestWayKeepsTheSample(t *testing.T) {
	got, err := Way("agent.yaml", []byte(configs.AgentSample), "http://proxy:3128", "")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(configs.AgentSample, `url: ""`, "url: http://proxy:3128", 1); string(got) != want {
		t.Errorf("more than one line changed:\n%s", got)
	}
}

func TestWayRefusesNonsense(t *testing.T) {
	_, err := Way("agent.yaml", nil, "http://user:secret@proxy:3128", "")
	if _, ok := errors.AsType[*Invalid](err); !ok || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}
