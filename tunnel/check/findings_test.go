package check

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated files anew")

func TestChecksPageIsCurrent(t *testing.T) {
	golden(t, "../../docs/checks.md", Document())
}

// golden compares a text with a file, or writes it with -update.
func golden(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale: run `make generate` (-want +got):\n%s", filepath.Base(path), diff)
	}
}

func TestEveryFindingCanBeActedOn(t *testing.T) {
	form := regexp.MustCompile(`^[A-Z]+-[A-Z0-9]+(-[A-Z0-9]+)*$`)
	teams := map[Team]bool{PlantIT: true, Proxy: true, Firewall: true, DBA: true, Cloud: true}
	seen := map[string]bool{}
	for _, family := range families() {
		for _, f := range family.Findings {
			switch {
			case !form.MatchString(f.ID) || !strings.HasPrefix(f.ID, family.Prefix):
				t.Errorf("%s: the id should begin with %s", f.ID, family.Prefix)
			case seen[f.ID]:
				t.Errorf("%s stands twice", f.ID)
			case f.Title == "" || strings.HasSuffix(f.Title, "."):
				t.Errorf("%s: the title %q should be a title", f.ID, f.Title)
			case len(f.Cause) < 20 || !strings.HasSuffix(f.Cause, "."):
				t.Errorf("%s: the cause %q should be a sentence", f.ID, f.Cause)
			case len(f.Fix) < 20:
				t.Errorf("%s: the fix %q says too little", f.ID, f.Fix)
			case !teams[f.For]:
				t.Errorf("%s: there is no team %q", f.ID, f.For)
			case strings.ContainsFunc(f.Title+f.Cause+f.Fix, func(r rune) bool { return r > unicode.MaxASCII }):
				t.Errorf("%s: an old console does not have all its letters", f.ID)
			}
			seen[f.ID] = true
		}
	}
}

// TestIdsOfTheCodeAreThoseOfTheTable reads every file of the product: an id is a literal there, or it is no id.
func TestIdsOfTheCodeAreThoseOfTheTable(t *testing.T) {
	used := map[string]token.Position{}
	var prefixes []string
	for _, family := range families() {
		prefixes = append(prefixes, family.Prefix)
	}
	id := regexp.MustCompile(`^(` + strings.Join(prefixes, "|") + `)[A-Z0-9-]+$`)
	eachFile(t, func(files *token.FileSet, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && id.MatchString(text) {
					used[text] = files.Position(lit.Pos())
				}
			}
			return true
		})
	})
	for id, at := range used {
		if f, ok := Lookup(id); !ok || f.ID != id {
			t.Errorf("%s: %s has no row in the table of findings", at, id)
		}
	}
	for _, f := range Findings() {
		if _, ok := used[f.ID]; !ok {
			t.Errorf("%s stands in the table, and no code finds it", f.ID)
		}
	}
}

// eachFile parses what is neither a test nor the table.
func eachFile(t *testing.T, look func(*token.FileSet, *ast.File)) {
	t.Helper()
	files := token.NewFileSet()
	for _, folder := range []string{"agent", "connectors", "installer", "relay", "tunnel"} {
		err := filepath.WalkDir(filepath.Join("..", "..", folder), func(path string, entry fs.DirEntry, err error) error {
			name := filepath.Base(path)
			switch {
			case err != nil && os.IsNotExist(err): // a folder that is still to come
				return nil
			case err != nil:
				return err
			case !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"), strings.HasPrefix(name, "findings_"):
				return nil
			}
			f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err == nil {
				look(files, f)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"chk-panic", []string{"CHK-PANIC: A check broke", "Cause\n  The check {check}", "What to send to the cloud team\n", "{braces}"}},
		{"CHK-OVERRUN", []string{"What to do\n  Run it again"}},
		{"AGENT_OFFLINE", []string{"AGENT_OFFLINE: The agent is offline (HTTP 503)", "What to do\n  Check that", "may succeed later"}},
		{"not_found", []string{"NOT_FOUND: ", "does not help"}},
	} {
		var b strings.Builder
		if ok, err := Help(&b, tt.name); !ok || err != nil {
			t.Errorf("%s: %v, %v", tt.name, ok, err)
		}
		for _, part := range tt.want {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%s: no %q in\n%s", tt.name, part, b.String())
			}
		}
	}
	if ok, _ := Help(&strings.Builder{}, "NET-9999"); ok {
		t.Error("helped with an id that is none")
	}
	for _, name := range Names() {
		var b strings.Builder
		if ok, _ := Help(&b, name); !ok {
			t.Errorf("no help for %s", name)
		}
		for line := range strings.Lines(b.String()) {
			if len(line) > width+1 {
				t.Errorf("%s: %d columns: %s", name, len(line), line)
			}
		}
	}
}
