package configs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryProblemIsToldAtOnceWithPlaceAndFix(t *testing.T) {
	document := `state_dir: /srv/agent
sesions: 3
targets: [db:5432]
log:
  level: loud
  format: json
sessions: 99
policy:
  writes: yes
  targets:
    - db.plant.local
    - 10.1.2.300:80
  rate: 20
  operations: [purchase orders]
  connections:
    erp: {max_row: 5, concurrency: -1}
proxy: {url: "http://me:secret@proxy:3128"}
`
	_, err := ParseAgent("agent.yaml", []byte(document))
	want := `agent.yaml:2:1: sesions: unknown key "sesions". Did you mean ` + "`sessions`" + `?
agent.yaml:3:1: targets: unknown key "targets". Did you mean ` + "`policy.targets`" + `?
agent.yaml:5:3: log.level: "loud" is not known. Write one of debug, info, warn, error.
agent.yaml:7:1: sessions: 99 sessions are not possible. Write a number from 1 to 8; 2 is usual.
agent.yaml:9:3: policy.writes: should be true or false, not "yes". Write ` + "`true` or `false`" + `.
agent.yaml:11:7: policy.targets[0]: "db.plant.local" has no port. Write host:port, as ` + "`db.plant.local:5432`, `*.plant.local:1433` or `10.1.2.0/24:*`" + `.
agent.yaml:12:7: policy.targets[1]: "10.1.2.300:80" has a host that is neither a name, ` + "`*.name`" + `, an address nor a network. Write host:port, as ` + "`db.plant.local:5432`, `*.plant.local:1433` or `10.1.2.0/24:*`" + `.
agent.yaml:13:3: policy.rate: should be a text, not "20". Put it in quotes: "20".
agent.yaml:14:16: policy.operations[0]: "purchase orders" is no operation. Write an operation, as ` + "`list`, `purchase-orders:create` or `*:approve`" + `.
agent.yaml:16:11: policy.connections.erp.max_row: unknown key "max_row". Did you mean ` + "`max_rows`" + `?
agent.yaml:16:23: policy.connections.erp.concurrency: cannot be negative. Write 0 for no cap.
agent.yaml:17:9: proxy.url: a URL must not hold a user or a password. Move them to proxy.username and a file named by proxy.password_file.`
	if err == nil {
		t.Fatal("a faulty document was accepted")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Error("a problem repeats the proxy's password")
	}
}

func TestOddDocuments(t *testing.T) {
	for _, test := range []struct{ name, document, want string }{
		{"empty", "", ""},
		{"comments only", "# nothing\n", ""},
		{"a null section", "policy:\n", ""},
		{"a null document", "---\n", ""},
		{"a list", "- a\n", "the file should hold keys with values, not a list."},
		{"a text", "hello\n", "the file should hold keys with values, not \"hello\"."},
		{"two documents", "sessions: 2\n---\nsessions: 3\n", "more than one YAML document"},
		{"a key twice", "sessions: 2\nsessions: 3\n", "second time"},
		{"an alias", "policy:\n  targets: &a ['db:1']\n  paths: *a\n", "aliases are not taken"},
		{"a tab", "policy:\n\twrites: true\n", "this is not YAML"},
		{"too deep", strings.Repeat("[", 40) + strings.Repeat("]", 40), "keys with values"},
		{"a number for a list", "policy: {paths: 5}\n", "should be a list"},
		{"a relative path", "policy: {paths: [data]}\n", "is not absolute"},
		{"a huge number", "sessions: 99999999999999999999\n", "should be a whole number"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseAgent("agent.yaml", []byte(test.document))
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if _, ok := errors.AsType[*Problems](err); !ok || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want a problem with %q", err, test.want)
			}
		})
	}
}

func TestSampleIsTheDefaults(t *testing.T) {
	got, err := ParseAgent(filepath.Join(t.TempDir(), "agent.yaml"), []byte(AgentSample))
	if err != nil {
		t.Fatal(err)
	}
	if !sameYAML(t, got, DefaultAgent()) {
		t.Errorf("the sample differs from the defaults: %+v", got)
	}
}

func TestSampleHasEveryKey(t *testing.T) {
	got, report, err := parse("agent.yaml", []byte(uncommented(AgentSample)), DefaultAgent(), validateAgent("/etc/agent.yaml"))
	if err != nil {
		t.Fatalf("the sample with its optional keys does not load: %v", err)
	}
	if got.Policy.Connections["erp"].Concurrency == 0 {
		t.Error("the sample shows no connection")
	}
	for _, key := range Keys(Agent{}) {
		if report.Line(strings.ReplaceAll(key, "*", "erp")) == 0 {
			t.Errorf("the sample does not explain %s", key)
		}
	}
}

func TestLoadAgent(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "agent.yaml")
	if _, err := LoadAgent(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file that was named: %v, want ErrNotExist", err)
	}
	if err := os.WriteFile(file, []byte("state_dir: state\nca_file: proxy.pem\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := LoadAgent(file)
	if err != nil {
		t.Fatal(err)
	}
	if config.StateDir != filepath.Join(folder, "state") || config.CAFile != filepath.Join(folder, "proxy.pem") {
		t.Errorf("relative paths do not count from the file: %+v", config)
	}
	if err := os.WriteFile(file, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadAgent(file); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("a huge file: %v", err)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"status", "enroll", "unenroll", "policy", "max_rows"}
	for word, want := range map[string]string{"stauts": "status", "enrol": "enroll", "max-rows": "max_rows", "xyz": "", "": "", "Policy": "policy"} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzParseAgent(f *testing.F) {
	f.Add([]byte(AgentSample))
	f.Add([]byte(uncommented(AgentSample)))
	f.Add([]byte("policy: {targets: ['*:*', '[::1/128]:1-2'], connections: {a: {rate: 1/h}}}"))
	f.Add([]byte("a: &x [*x]\n<<: {}\n? [b]\n: c\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := ParseAgent("agent.yaml", data)
		if err == nil {
			for _, target := range config.Policy.Targets {
				if _, err := ParseTarget(target); err != nil {
					t.Errorf("an accepted target does not parse: %v", err)
				}
			}
			return
		}
		problems, ok := errors.AsType[*Problems](err)
		if !ok || len(problems.List) == 0 || len(problems.List) > maxProblems {
			t.Errorf("a faulty document gives %v", err)
		}
	})
}
