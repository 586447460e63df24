package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// listed is what `go list` says of a package.
type listed struct {
	ImportPath   string
	Doc          string
	Name         string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// packages lists all packages of the module.
func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Name,GoFiles,Imports,TestImports,XTestImports", "gantry/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// arrow says what a folder may import of ours. The longest folder that holds a package is the one that counts.
type arrow struct {
	folder string
	may    []string
}

// arrows is the table of ARCHITECTURE.md. A folder may always import itself and what is below it.
var arrows = []arrow{
	{"tunnel/fault", nil},
	{"tunnel/check", []string{"tunnel/fault"}},
	{"tunnel", []string{"tunnel"}},
	{"configs", nil},
	{"configs/cli", []string{"configs"}},
	{"connectors", []string{"tunnel/fault", "connectors"}},
	{"installer", []string{"configs"}},
	{"agent", []string{"configs", "connectors", "tunnel", "agent"}},
	{"agent/cmd", []string{"configs", "connectors", "tunnel", "agent", "installer"}},
	{"docs", nil},
	{"relay", []string{"configs", "connectors", "tunnel", "relay", "docs"}},
	{"relay/cmd", []string{"configs", "connectors", "tunnel", "relay", "installer"}},
	{"house", []string{"configs", "connectors", "tunnel", "agent", "relay", "installer", "docs"}},
}

// drivers are the packages that speak to systems. Only the agent's main, and the house, may name one.
var drivers = []string{"connectors/files", "connectors/jsonrpc", "connectors/odata", "connectors/rest", "connectors/soap", "connectors/sql"}

// owners are the modules that one folder alone may import.
var owners = map[string]string{
	"github.com/hashicorp/yamux":      "tunnel",
	"github.com/coder/websocket":      "tunnel",
	"github.com/Azure":                "tunnel connectors/web",
	"github.com/alexbrainman":         "tunnel",
	"cel.dev/cel-go":                  "connectors/definition",
	"github.com/jackc/pgx/v5":         "connectors/sql",
	"github.com/go-sql-driver":        "connectors/sql",
	"github.com/microsoft":            "connectors/sql",
	"github.com/Microsoft":            "agent/control",
	"github.com/sijms/go-ora/v2":      "connectors/sql",
	"github.com/google/jsonschema-go": "relay/openapi/generator",
	"github.com/prometheus":           "relay/metrics",
	"github.com/riverqueue":           "relay/jobs",
	"github.com/failsafe-go":          "agent/health",
	"github.com/spf13":                "configs/cli agent/cmd relay/cmd",
	"golang.org/x/term":               "configs/cli",
	"github.com/santhosh-tekuri":      "connectors/definition configs/cli/clitest",
	"github.com/cpuguy83":             "configs/cli/clitest",
	"go.yaml.in/yaml/v3":              "configs connectors/definition agent/policy agent/bundle agent/cmd",
	"github.com/kardianos":            "installer",
	"modernc.org/sqlite":              "agent/state relay/store relay/jobs connectors/sql connectors/demoplant",
	"github.com/pkg/sftp":             "connectors/files",
	"github.com/cloudsoda":            "connectors/files",
	"golang.org/x/crypto/ssh":         "connectors/files",
	"github.com/antchfx":              "connectors/markup",
}

// within tells whether a package lies in a folder.
func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}

func withinAny(name string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return within(name, folder) })
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, "gantry/")
		if within(name, "house") {
			continue // it may import everything
		}
		for _, path := range p.Imports {
			if problem := forbidden(name, path); problem != "" {
				t.Errorf("%s imports %s: %s", name, path, problem)
			}
		}
	}
}

func TestNobodyImportsTheHouse(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if within(strings.TrimPrefix(path, "gantry/"), "house") && !within(p.ImportPath, "gantry/house") {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
	}
}

// forbidden says why a package may not import a path; empty: it may.
func forbidden(name, path string) string {
	target, ours := strings.CutPrefix(path, "gantry/")
	switch {
	case !ours:
		return foreign(name, path)
	case withinAny(target, drivers) && !withinAny(name, []string{"agent/cmd", "connectors/conformance"}) && driverOf(name) != driverOf(target):
		return "only the agent's main names a driver"
	}
	a := arrowOf(name)
	if a == nil {
		return "no arrow begins in this folder: add it to the table"
	}
	if !within(target, a.folder) && !withinAny(target, a.may) {
		return "no arrow leads there from " + a.folder
	}
	return ""
}

// driverOf gives the driver that a package belongs to; empty: none.
func driverOf(name string) string {
	for _, driver := range drivers {
		if within(name, driver) {
			return driver
		}
	}
	return ""
}

// foreign says why a package may not import a module of others.
func foreign(name, path string) string {
	if within(name, "tunnel/fault") && strings.Contains(strings.Split(path, "/")[0], ".") {
		return "the error taxonomy stands on the standard library alone"
	}
	for module, folders := range owners {
		if within(path, module) && !withinAny(name, strings.Fields(folders)) {
			return "it belongs to " + folders
		}
	}
	return ""
}

func arrowOf(name string) *arrow {
	var found *arrow
	for i := range arrows {
		if a := &arrows[i]; within(name, a.folder) && (found == nil || len(a.folder) > len(found.folder)) {
			found = a
		}
	}
	return found
}

func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		switch {
		case len(p.GoFiles) == 0: // tests alone
		case len(p.Doc) < 40:
			t.Errorf("%s: the package comment says too little: %q", p.ImportPath, p.Doc)
		case p.Name != "main" && !strings.HasPrefix(p.Doc, "Package "+p.Name+" "):
			t.Errorf("%s: the package comment should begin with %q", p.ImportPath, "Package "+p.Name)
		}
	}
}

func TestForbiddenKnowsTheArrows(t *testing.T) {
	for _, tt := range []struct {
		name, from, to string
		allowed        bool
	}{
		{"relay to agent", "relay/hub", "gantry/agent", false},
		{"agent to relay", "agent", "gantry/relay/api", false},
		{"relay to a driver", "relay", "gantry/connectors/sql", false},
		{"relay to the catalogue", "relay", "gantry/connectors/catalogue", true},
		{"agent's main to a driver", "agent/cmd/gantry-agent", "gantry/connectors/sql", true},
		{"a driver to another", "connectors/sql", "gantry/connectors/jsonrpc", false},
		{"a driver to what it shares", "connectors/jsonrpc", "gantry/connectors/web", true},
		{"agent to a driver", "agent/calls", "gantry/connectors/sql", false},
		{"tunnel to connectors", "tunnel", "gantry/connectors/wire", false},
		{"yamux in the tunnel", "tunnel", "github.com/hashicorp/yamux", true},
		{"yamux in the relay", "relay/hub", "github.com/hashicorp/yamux", false},
		{"fault to a module", "tunnel/fault", "golang.org/x/sync/errgroup", false},
		{"a folder nobody knows", "extras", "gantry/configs", false},
		{"a folder with a similar name", "relay", "gantry/agentless", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if problem := forbidden(tt.from, tt.to); (problem == "") != tt.allowed {
				t.Errorf("got %q", problem)
			}
		})
	}
}
