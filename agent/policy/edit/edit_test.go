package edit

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gantry/configs"
)

func allow(kind Kind, value string) Change { return Change{Allow: true, Kind: kind, Value: value} }

func deny(kind Kind, value string) Change { return Change{Kind: kind, Value: value} }

func on(connection string, c Change) Change { c.Connection = connection; return c }

func TestOneLineChangesAndNothingElse(t *testing.T) {
	for _, test := range []struct {
		name, before string
		change       Change
		after        string // empty: nothing changes
	}{
		{"an empty file", "", allow(Target, "db:5432"), "policy:\n  targets:\n    - db:5432\n"},
		{"only comments", "# ours\n\n# all of it\n", allow(Writes, ""), "# ours\n\n# all of it\npolicy:\n  writes: true\n"},
		{"no policy yet", "sessions: 3\n", allow(Path, "/srv/a b"), "sessions: 3\npolicy:\n  paths:\n    - /srv/a b\n"},
		{"an empty policy", "policy: # ours\nsessions: 3\n", allow(Target, "db:1"), "policy: # ours\n  targets:\n    - db:1\nsessions: 3\n"},
		{"braces", "policy: {}\nsessions: 3\n", allow(Target, "db:1"), "policy:\n  targets:\n    - db:1\nsessions: 3\n"},
		{"empty brackets", "policy:\n  targets: [] # none\n  writes: false\n", allow(Target, "db:1"), "policy:\n  targets: [db:1] # none\n  writes: false\n"},
		{
			"a block list keeps its comments, blank lines and indentation",
			"# top\npolicy:\n\n    targets:\n    # the ERP\n    - erp:1433   # prod\n\n    - wms:5432\n\n    # no writes\n    writes: false\n",
			allow(Target, "*.plant.local:80"),
			"# top\npolicy:\n\n    targets:\n    # the ERP\n    - erp:1433   # prod\n\n    - wms:5432\n    - '*.plant.local:80'\n\n    # no writes\n    writes: false\n",
		},
		{"brackets", "policy:\n  targets: ['[::1]:5', \"a:1\"] # x\n", allow(Target, "b:2"), "policy:\n  targets: ['[::1]:5', a:1, b:2] # x\n"},
		{"windows line ends", "policy:\r\n  writes: false\r\n", allow(Writes, ""), "policy:\r\n  writes: true\r\n"},
		{"not ASCII before it", "policy: {writes: false} # für\n", allow(Writes, ""), "policy: {writes: true} # für\n"},
		{"again", "policy:\n  targets: [db:1]\n  writes: true\n", allow(Target, "db:1"), ""},
		{"overlays", "policy:\n  writes: true\n", allow(Overlays, ""), "policy:\n  writes: true\n  overlays: true\n"},
		{"overlays again", "policy: {overlays: false}\n", deny(Overlays, ""), ""},
		{"writes again", "policy: {writes: true}\n", allow(Writes, ""), ""},
		{"take off one of two", "policy:\n  targets:\n    - a:1 # x\n    - b:2 # y\n", deny(Target, "a:1"), "policy:\n  targets:\n    - b:2 # y\n"},
		{"take off the last", "policy:\n  targets: # ours\n    - a:1\n  writes: true\n", deny(Target, "a:1"), "policy:\n  targets: [] # ours\n  writes: true\n"},
		{"take off in brackets", "policy:\n  targets: [a:1, b:2]\n", deny(Target, "a:1"), "policy:\n  targets: [b:2]\n"},
		{"take off what is not there", "policy:\n  targets: [a:1]\n", deny(Target, "b:1"), ""},
		{"an empty list allows all, so nothing is added", "", allow(Operation, "purchase-orders:create"), ""},
		{"a list of what is allowed grows", "policy:\n  operations: [list]\n", allow(Operation, "purchase-orders:create"), "policy:\n  operations: [list, purchase-orders:create]\n"},
		{"a wider pattern allows it already", "policy:\n  operations: ['*:create']\n", allow(Operation, "purchase-orders:create"), ""},
		{"what was denied is allowed again", "policy:\n  deny_entities: [vendors, items]\n", allow(Entity, "vendors"), "policy:\n  deny_entities: [items]\n"},
		{"denying without a list", "", deny(Entity, "vendors"), "policy:\n  deny_entities:\n    - vendors\n"},
		{"denying one of two", "policy:\n  entities: [vendors, items]\n", deny(Entity, "vendors"), "policy:\n  entities: [items]\n"},
		{"denying the last one must not allow all", "policy:\n  entities: [vendors]\n", deny(Entity, "vendors"), "policy:\n  entities: [vendors]\n  deny_entities:\n    - vendors\n"},
		{"denying what no list allows", "policy:\n  entities: [items]\n", deny(Entity, "vendors"), ""},
		{"denying a part of a pattern", "policy:\n  operations: [list, '*:create']\n", deny(Operation, "items:create"), "policy:\n  operations: [list, '*:create']\n  deny_operations:\n    - items:create\n"},
		{"a field", "", deny(Field, "*.tax_id"), "policy:\n  deny_fields:\n    - '*.tax_id'\n"},
		{"a connection", "policy:\n  writes: true\n", on("erp", deny(Operation, "*:delete")), "policy:\n  writes: true\n  connections:\n    erp:\n      deny_operations:\n        - '*:delete'\n"},
		{"another key of a connection", "policy:\n  connections:\n    erp:\n      rate: 1/s\n", on("erp", deny(Field, "items.cost")), "policy:\n  connections:\n    erp:\n      rate: 1/s\n      deny_fields:\n        - items.cost\n"},
		{"a native request", "policy:\n  writes: true\n", on("con_1", allow(Passthrough, "GET /api/Orders(*)")), "policy:\n  writes: true\n  passthrough:\n    con_1:\n      - GET /api/Orders(*)\n"},
		{"another native request", "policy:\n  passthrough:\n    erp: [\"GET /a\"]\n", on("erp", allow(Passthrough, "CALL model.x.y")), "policy:\n  passthrough:\n    erp: [GET /a, CALL model.x.y]\n"},
		{"a native request with a quote", "", on("erp", allow(Passthrough, "GET /Orders('4',1)")), "policy:\n  passthrough:\n    erp:\n      - 'GET /Orders(''4'',1)'\n"},
		{"a native request of another connection", "policy:\n  passthrough:\n    erp:\n      - GET /a\n", on("wms", allow(Passthrough, "GET /a")), "policy:\n  passthrough:\n    erp:\n      - GET /a\n    wms:\n      - GET /a\n"},
		{"no more native requests", "policy:\n  passthrough:\n    erp:\n      - GET /a\n", on("erp", deny(Passthrough, "GET /a")), "policy:\n  passthrough:\n    erp: []\n"},
		{"a native request that does not pass", "", on("erp", deny(Passthrough, "GET /a")), ""},
		{"an odd connection name", "policy:\n", on("no", deny(System, "x")), "policy:\n  connections:\n    \"no\":\n      deny_systems:\n        - x\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, result, err := Apply("agent.yaml", []byte(test.before), test.change)
			if err != nil {
				t.Fatal(err)
			}
			if result.Changed != (test.after != "") {
				t.Errorf("changed = %v", result.Changed)
			}
			if test.after == "" {
				test.after = test.before
			}
			if diff := cmp.Diff(test.after, string(got)); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
			_, again, err := Apply("agent.yaml", got, test.change)
			if err != nil || again.Changed {
				t.Errorf("the second time: changed %v, %v", again.Changed, err)
			}
		})
	}
}

func TestWhatCannotBeDoneSaysWhatToDo(t *testing.T) {
	for _, test := range []struct {
		name, before string
		change       Change
		want         string
	}{
		{"no port", "", allow(Target, "db"), "has no port"},
		{"a relative path", "", allow(Path, "data"), "not an absolute path"},
		{"no operation", "", allow(Operation, "a b"), "is no operation"},
		{"every entity", "", allow(Entity, "*"), "is no name"},
		{"a target of one connection", "", on("erp", allow(Target, "db:1")), "Leave --connection out."},
		{"a wider target allows it still", "policy: {targets: ['*.x:1', a.x:1]}\n", deny(Target, "a.x:1"), "still allowed by *.x:1"},
		{"a native request of all connections", "", allow(Passthrough, "GET /a"), "Name it with --connection."},
		{"no native request", "", on("erp", allow(Passthrough, "/a")), "should begin with GET"},
		{"a wider native request passes still", "policy: {passthrough: {erp: ['GET /a/**', 'GET /a/*']}}\n", on("erp", deny(Passthrough, "GET /a/b")), "still allowed by GET /a/**"},
		{"a wider folder allows it still", "policy: {paths: [/srv]}\n", deny(Path, "/srv/a"), "still allowed by /srv"},
		{"a wider pattern denies it", "policy: {deny_operations: ['*:create']}\n", allow(Operation, "items:create"), "denied by *:create"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Apply("agent.yaml", []byte(test.before), test.change)
			if _, ok := errors.AsType[*Invalid](err); !ok || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	t.Run("a faulty file stays as it is", func(t *testing.T) {
		_, _, err := Apply("agent.yaml", []byte("polcy:\n"), allow(Writes, ""))
		if _, ok := errors.AsType[*configs.Problems](err); !ok {
			t.Errorf("got %v, want problems", err)
		}
	})
	t.Run("an unusual file stays as it is", func(t *testing.T) {
		_, _, err := Apply("agent.yaml", []byte("policy: {targets: [a:1,\n  b:2]}\n"), allow(Target, "c:3"))
		if !errors.Is(err, errByHand) {
			t.Errorf("got %v, want %v", err, errByHand)
		}
	})
}

func TestNotesSayWhatElseStandsInTheWay(t *testing.T) {
	_, result, err := Apply("agent.yaml", []byte("policy: {operations: [list]}\n"), on("erp", allow(Operation, "items:create")))
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Notes) != 2 {
		t.Errorf("notes: %q", result.Notes)
	}
}

func TestFile(t *testing.T) {
	folder := t.TempDir()
	real, link := filepath.Join(folder, "real.yaml"), filepath.Join(folder, "agent.yaml")
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(real, []byte("sessions: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := File(link, allow(Writes, "")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info.Mode(), err)
	}
	if info, err = os.Stat(real); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode was not kept: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 2 {
		t.Errorf("something was left behind: %v, %v", entries, err)
	}

	fresh := filepath.Join(folder, "etc", "agent.yaml")
	result, err := File(fresh, allow(Target, "db:5432"))
	if err != nil || !result.Created {
		t.Fatalf("%+v, %v", result, err)
	}
	config, err := configs.LoadAgent(fresh)
	if err != nil || cmp.Diff([]string{"db:5432"}, config.Policy.Targets) != "" {
		t.Errorf("%v, %v", config.Policy.Targets, err)
	}
}

// FuzzApply proves that an edit means what was planned, or does nothing: whatever the file looks like.
func FuzzApply(f *testing.F) {
	f.Add("policy:\n  targets: [a:1]\n", uint8(0), true, "b:2", "")
	f.Add("policy: {deny_fields: [\n'a.b' ]}\n", uint8(6), false, "a.c", "erp")
	f.Add("policy:\n  connections:\n  - x\n", uint8(5), true, "*:approve", "e: rp")
	kinds := []Kind{Target, Path, Writes, Overlays, System, Entity, Operation, Field}
	f.Fuzz(func(t *testing.T, document string, kind uint8, allow bool, value, connection string) {
		c := Change{Allow: allow, Kind: kinds[int(kind)%len(kinds)], Value: value, Connection: connection}
		got, result, err := Apply("agent.yaml", []byte(document), c)
		if err != nil {
			return
		}
		if !result.Changed && string(got) != document {
			t.Error("nothing changed, and the text did")
		}
		if _, again, err := Apply("agent.yaml", got, c); err != nil || again.Changed {
			t.Errorf("not idempotent: %v, %v", again, err)
		}
	})
}
