package definition_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"gantry/connectors"
	"gantry/connectors/definition"
)

const base = `apiVersion: connector/v1
metadata: {id: base/fake, version: 1.0.0, abstract: true}
driver: fake
login: {required: [host], properties: {host: {title: Server}, port: {type: integer, default: 5432}, password: {writeOnly: true}}}
errors:
  - {id: duplicate, when: "source.code == 'dup'", code: DUPLICATE}
  - {id: denied, when: "source.code == 'denied'", code: PERMISSION_DENIED, scope: entity}
`

const plant = `apiVersion: connector/v1
metadata: {id: plant, version: 1.0.0, product: A plant, extends: [base/fake]}
errors:
  - {id: number, when: "source.constraint == 'po_no'", code: DUPLICATE, message: "The number is taken."}
  - {id: denied, scope: operation}
entities:
  vendors:
    key: [id]
    operations: {list: {q: vendors}}
    fields:
      name: {from: name}
`

func load(t *testing.T, files map[string]string) (*definition.Set, error) {
	t.Helper()
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return definition.Load(tree)
}

func TestLayersMerge(t *testing.T) {
	set, err := load(t, map[string]string{"base.yaml": base, "plant.yaml": plant, "overlay.yaml": `
metadata: {overlay: plant}
login: {properties: {port: null}}
entities: {vendors: {fields: {tax_id: {from: vat}}}}
`})
	if err != nil {
		t.Fatal(err)
	}
	d := set.Lookup("plant")
	if len(set.Systems()) != 1 || d == nil {
		t.Fatalf("systems: %v", set.Systems())
	}
	var order []string
	for _, rule := range d.Errors {
		order = append(order, rule.ID+" "+string(rule.Scope))
	}
	if got, want := strings.Join(order, ","), "number ,duplicate ,denied operation"; got != want {
		t.Errorf("errors %q, want %q: the product's own come first, and are merged by id", got, want)
	}
	if _, there := d.Login.Properties["port"]; there {
		t.Error("a null did not take the member away")
	}
	if d.Entities["vendors"].Fields["tax_id"] == nil || d.Entities["vendors"].Fields["name"] == nil {
		t.Error("the overlay's field is missing, or hides the product's")
	}
	if d.Metadata.Abstract || len(d.Digest) != 64 {
		t.Errorf("metadata %+v, digest %q", d.Metadata, d.Digest)
	}
}

func TestFaultsNameFileLineAndKey(t *testing.T) {
	head := strings.Split(plant, "entities:")[0] + "entities:\n"
	vendors := "  vendors:\n    key: [id]\n    operations: {list: {q: v}}\n    fields:\n"
	tests := map[string]struct{ file, want string }{
		"unknown key":        {head + "  vendors: {key: [id], colour: red, operations: {}, fields: {}}\n", "plant.yaml:7: entities/vendors: additional properties 'colour' not allowed"},
		"unknown field":      {head + vendors + "      colour: {from: c}\n", "plant.yaml:11: entities/vendors/fields/colour: colour is no canonical field"},
		"wrong type":         {head + vendors + "      active: {from: a, type: string}\n", "plant.yaml:11: entities/vendors/fields/active/type: active is boolean"},
		"bad CEL":            {head + vendors + "      name: {value: '${row.}'}\n", "plant.yaml:11: entities/vendors/fields/name/value: the expression does not compile"},
		"huge pattern":       {head + vendors + "      active: {value: \"${row.n.matches('(a{30}){30}(b{30}){30}')}\"}\n", "plant.yaml:11: entities/vendors/fields/active/value: the expression does not compile"},
		"pattern in pattern": {head + vendors + "      active: {value: \"${row.n.matches('((a{100}){100}){100}')}\"}\n", "plant.yaml:11: entities/vendors/fields/active/value: the expression does not compile"},
		"foreign pattern":    {head + vendors + "      active: {value: \"${row.n.matches(row.p)}\"}\n", "plant.yaml:11: entities/vendors/fields/active/value: the expression does not compile: the pattern of `matches` is not written out"},
		"prints a password":  {head + vendors + "      name: {value: '${login.password}'}\n", "plant.yaml:11: entities/vendors/fields/name/value: login.password is a credential"},
		"password by index":  {head + vendors + "      name: {value: '${login[\"password\"]}'}\n", "plant.yaml:11: entities/vendors/fields/name/value: login.password is a credential"},
		"no such login":      {head + vendors + "      name: {value: '${login.hots}'}\n", "plant.yaml:11: entities/vendors/fields/name/value: the login has no member \"hots\""},
		"status without map": {head + "  work-orders: {key: [id], operations: {list: {q: w}}, fields: {status: {from: s}}}\n", "a status needs an `enum`"},
		"keyset":             {head + "  vendors: {key: [id], operations: {list: {q: v, keyset: [modified]}}, fields: {name: {from: n}}}\n", "the keyset lacks the key column \"id\""},
		"child":              {head + vendors + "      contacts: {from: people, fields: {name: {from: n}}}\n", "there is no child \"people\""},
		"delete by status":   {head + "  vendors: {key: [id], operations: {list: {q: v}, delete: {mode: status, action: retire}}, fields: {name: {from: n}}}\n", "there is no \"retire\""},
		"class":              {head + "  vendors: {key: [id], operations: {list: {q: v}, create: {class: keyed, q: x}}, fields: {name: {from: n}}}\n", "class keyed needs `idempotency`"},
		"leaves unproved":    {head + "  vendors: {key: [id], operations: {list: {q: v}}, actions: {retire: {leaves: true, q: x}}, fields: {name: {from: n}}}\n", "an action with `leaves` says with `expect`"},
		"leaves unsaid":      {head + "  vendors: {key: [id], operations: {list: {q: v}}, actions: {retire: {leaves: true, q: x}}, fields: {name: {from: n}}}\n", "an action with `leaves` says with `to`"},
		"update that leaves": {head + "  vendors: {key: [id], operations: {list: {q: v}, update: {leaves: true, q: x}}, fields: {name: {from: n}}}\n", "`leaves` is for actions"},
		"filter":             {head + "  vendors: {key: [id], operations: {list: {q: v, filters: [colour]}}, fields: {name: {from: n}}}\n", "\"colour\" is no field that can be filtered"},
		"key twice":          {head + vendors + "      name: {from: a}\n      name: {from: b}\n", "plant.yaml:12: the key \"name\" stands here twice"},
		"alias":              {"a: &x 1\nb: *x\n", "anchors and aliases"},
		"no layer":           {"metadata: {id: plant, extends: [base/none]}\n", "there is no layer \"base/none\""},
		"circle":             {"metadata: {id: plant, extends: [plant]}\n", "round in a circle"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			set, err := load(t, map[string]string{"base.yaml": base, "plant.yaml": test.file})
			problems, ok := errors.AsType[definition.Problems](err)
			if !ok || !strings.Contains(problems.Error(), test.want) {
				t.Errorf("problems\n%v\nwant %q", err, test.want)
			}
			if set.Lookup("plant") != nil {
				t.Error("a definition with problems was loaded")
			}
		})
	}
}

func TestLoginIsSplitAndChecked(t *testing.T) {
	set, err := load(t, map[string]string{"base.yaml": base, "plant.yaml": plant})
	if err != nil {
		t.Fatal(err)
	}
	login := set.Lookup("plant").Login
	settings, credentials, err := login.Split([]byte(`{"host":"erp"}`), []byte(`{"password":"canary"}`))
	if err != nil || settings["host"] != "erp" || settings["port"] != int64(5432) || credentials["password"].Reveal() != "canary" {
		t.Errorf("settings %v, credentials %v, error %v", settings, credentials, err)
	}
	for name, test := range map[string][2]string{
		"missing":                {`{}`, `{}`},
		"unknown":                {`{"host":"a","colour":1}`, `{}`},
		"credential as setting":  {`{"host":"a","password":"canary"}`, `{}`},
		"setting as credential":  {`{"host":"a"}`, `{"port":1}`},
		"wrong type":             {`{"host":5}`, `{}`},
		"no object":              {`[]`, `{}`},
		"credential, wrong type": {`{"host":"a"}`, `{"password":{"x":"canary"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := login.Split([]byte(test[0]), []byte(test[1]))
			if err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("error %v: there must be one, and it must not repeat a secret", err)
			}
		})
	}
}

// TestFaultyIsLeftOut: one bad system takes no other away, and says where it is wrong, statements included.
func TestFaultyIsLeftOut(t *testing.T) {
	bad := strings.Replace(plant, "id: plant", "id: bad", 1)
	set, err := load(t, map[string]string{
		"base.yaml": base, "plant.yaml": plant, "broken.yaml": "metadata: {id: [",
		"lint.yaml":      strings.Replace(bad, "fields:", "fields:\n      unheard_of: {from: x}", 1),
		"statement.yaml": strings.Replace(strings.Replace(plant, "id: plant", "id: late", 1), "{list: {q: vendors}}", "{list: {q: 'fail here'}}", 1),
	})
	if err == nil {
		t.Fatal("no fault was found")
	}
	ready := set.Prepare([]connectors.Driver{fake{}})
	if d := ready.Lookup("plant"); d == nil || ready.Program(d) == nil || len(ready.Systems()) != 1 {
		t.Errorf("systems %v", ready.Systems())
	}
	got := map[string]string{}
	for _, f := range ready.Faulty() {
		got[f.ID] = fmt.Sprintf("%s:%d %s", f.Problems[0].File, f.Problems[0].Line, f.Problems[0].Key)
	}
	want := map[string]string{"": "broken.yaml:0 ", "bad": "lint.yaml:11 entities/vendors/fields/unheard_of", "late": "statement.yaml:9 entities/vendors/operations/list"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faulty (-want +got):\n%s", diff)
	}
	if ps := definition.Lint([]connectors.Driver{fake{}}, map[string][]byte{"b.yaml": []byte(base), "p.yaml": []byte(plant)}); ps != nil {
		t.Errorf("sound files: %v", ps)
	}
}

func TestChildNamesItsParent(t *testing.T) {
	child := plant + "      contacts: {from: people, fields: {name: {from: n}}}\n    children:\n      people: {q: people, order: [n]}\n"
	problems := definition.Lint([]connectors.Driver{fake{}}, map[string][]byte{"b.yaml": []byte(base), "p.yaml": []byte(child)})
	if want := "without `parent` the statement names the parent's key: :id is missing"; !strings.Contains(fmt.Sprint(problems), want) {
		t.Errorf("problems %v, want %q", problems, want)
	}
}

func TestSinceNeedsATime(t *testing.T) {
	for filter, field := range map[string]string{"created_after": "created_at", "modified_after": "updated_at"} {
		with := strings.Replace(plant, "{list: {q: vendors}}", "{list: {q: vendors, filters: ["+filter+"]}}", 1)
		if _, err := load(t, map[string]string{"base.yaml": base, "plant.yaml": with}); err == nil || !strings.Contains(err.Error(), filter+" compares "+field) {
			t.Errorf("%s without %s: %v", filter, field, err)
		}
		if _, err := load(t, map[string]string{"base.yaml": base, "plant.yaml": with + "      " + field + ": {from: at, native: datetime}\n"}); err != nil {
			t.Errorf("%s with %s: %v", filter, field, err)
		}
	}
}

// fake is a driver whose statements are texts; one that begins with `fail` does not compile.
type fake struct{}

func (fake) Name() string { return "fake" }

func (fake) Specification() connectors.Specification { return connectors.Specification{} }

func (fake) Open(context.Context, connectors.Target) (connectors.Conn, error) {
	return nil, errors.ErrUnsupported
}

func (fake) Compile(_ string, native map[string]any) (connectors.Statement, error) {
	if text, _ := native["q"].(string); strings.HasPrefix(text, "fail") {
		return nil, errors.New("the statement is wrong")
	}
	return statement{}, nil
}

type statement struct{}

func (statement) Params() []string { return nil }
