package catalogue_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/engine"
	"gantry/tunnel/fault"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the requests and the results of the shape tests anew, to be read before they are committed")

// TestShapes runs the definitions of systems that are not at hand against answers in the shape of their vendors' documents:
// testdata/SYSTEM.txtar. It holds the exact requests that a call becomes, and the record or the fault that comes of the answers.
//
//	-- login --            {"settings": {…}, "credentials": {…}}; {server} is the address of the test's server
//	-- prelude-answer --   to the request that shows the login first, in every case whose name does not begin with "login"; prelude-request
//	-- document PATH --    what the server gives at a path whenever it is asked, beside the answers: a service's $metadata
//	-- NAME/call --        list ENTITY QUERY (all pages) | get ENTITY ID | OPERATION ENTITY [ID] [If-Match], and the body below
//	-- NAME/1-request --   method and path, a line "? name=value" for each parameter, headers, an empty line, the body
//	-- NAME/1-answer --    status, headers, an empty line, the body; the server gives them in their order
//	-- NAME/result --      the record, the records, or the fault
//
// The first line of the archive's comment names the documents that the answers follow. `go test ./connectors/catalogue -update` writes requests and results.
func TestShapes(t *testing.T) {
	set, err := definition.Load(catalogue.FS)
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, path := range glob(t, "testdata/*.txtar") {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		system, _, _ := strings.Cut(name, "@") // SYSTEM@WAY: another way to log in
		shown = append(shown, system)
		t.Run(name, func(t *testing.T) {
			d := set.Lookup(system)
			if d == nil {
				t.Fatalf("there is no system %s", system)
			}
			program, err := definition.Compile(d, drivers)
			if err != nil {
				t.Fatal(err)
			}
			runShapes(t, path, program)
		})
	}
	for _, d := range set.Systems() {
		if d.Metadata.Proved == "shape" && !slices.Contains(shown, d.Metadata.ID) {
			t.Errorf("%s says that its shape is proved, and no archive in testdata shows it", d.Metadata.ID)
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %v", pattern, paths, err)
	}
	return paths
}

// runShapes runs the cases of one archive.
func runShapes(t *testing.T, path string, program *definition.Program) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(archive.Comment, []byte("After ")) {
		t.Errorf("the comment must begin with the documents that the answers follow: After …")
	}
	files := map[string]string{}
	var cases []string
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
		if name, ok := strings.CutSuffix(f.Name, "/call"); ok {
			cases = append(cases, name)
		}
	}
	for _, name := range cases {
		t.Run(name, func(t *testing.T) { runShape(t, program, files, name) })
	}
	if *update {
		write(t, path, archive, files, cases)
	}
}

// runShape makes one call and compares what it became with the archive.
func runShape(t *testing.T, program *definition.Program, files map[string]string, name string) {
	vendor := &vendor{documents: map[string]string{}}
	for name, data := range files {
		if path, ok := strings.CutPrefix(name, "document "); ok {
			vendor.documents[path] = data
		}
	}
	prelude, there := files["prelude-answer"]
	if there = there && !strings.HasPrefix(name, "login"); there {
		vendor.answers = append(vendor.answers, prelude)
	}
	for n := 1; ; n++ {
		answer, there := files[fmt.Sprintf("%s/%d-answer", name, n)]
		if !there {
			break
		}
		vendor.answers = append(vendor.answers, answer)
	}
	server := httptest.NewServer(vendor)
	defer server.Close()
	result := call(t, connect(t, program, files["login"], server.URL), files[name+"/call"])
	got := map[string]string{name + "/result": strings.ReplaceAll(result, server.URL, "{server}")}
	requests := vendor.requests
	if there && len(requests) > 0 {
		got["prelude-request"], requests = requests[0], requests[1:]
	}
	for i, request := range requests {
		got[fmt.Sprintf("%s/%d-request", name, i+1)] = strings.ReplaceAll(request, server.URL, "{server}")
	}
	if len(vendor.requests) != len(vendor.answers) {
		t.Errorf("%d requests for %d answers", len(vendor.requests), len(vendor.answers))
	}
	if *update {
		maps.Copy(files, got)
		return
	}
	for _, section := range slices.Sorted(maps.Keys(got)) {
		if diff := cmp.Diff(files[section], got[section]); diff != "" {
			t.Errorf("%s: -archive +got\n%s", section, diff)
		}
	}
}

func write(t *testing.T, path string, archive *txtar.Archive, files map[string]string, cases []string) {
	t.Helper()
	out := &txtar.Archive{Comment: archive.Comment}
	add := func(name string) bool {
		data, there := files[name]
		if there {
			out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(data)})
		}
		return there
	}
	add("login")
	add("prelude-request")
	add("prelude-answer")
	for _, f := range archive.Files {
		if strings.HasPrefix(f.Name, "document ") {
			add(f.Name)
		}
	}
	for _, name := range cases {
		add(name + "/call")
		for n, more := 1, true; more; n++ {
			asked, answered := add(fmt.Sprintf("%s/%d-request", name, n)), add(fmt.Sprintf("%s/%d-answer", name, n))
			more = asked || answered
		}
		add(name + "/result")
	}
	if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

// connect opens a connection of its own for each case: nothing is remembered from the one before.
func connect(t *testing.T, program *definition.Program, login, server string) *engine.Engine {
	t.Helper()
	var given struct{ Settings, Credentials json.RawMessage }
	if err := json.Unmarshal([]byte(strings.ReplaceAll(login, "{server}", server)), &given); err != nil {
		t.Fatal(err)
	}
	settings, credentials, err := program.Definition.Login.Split(given.Settings, given.Credentials)
	if err != nil {
		t.Fatalf("login: %v", describe(err))
	}
	e, err := engine.Open(t.Context(), program, engine.Options{
		Connection: "con_1", CursorKey: []byte("0123456789abcdef"), Settings: settings, Credentials: credentials, Dial: (&net.Dialer{}).DialContext,
	})
	if err != nil {
		t.Fatal(describe(err))
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// call does what the archive says, and gives the outcome as text.
func call(t *testing.T, e *engine.Engine, text string) string {
	t.Helper()
	line, body, _ := strings.Cut(text, "\n")
	words := append(strings.Fields(line), "", "", "")
	switch words[0] {
	case "check":
		info, err := e.Check(t.Context())
		return outcome(map[string]any{"version": info.Version}, err)
	case "list":
		records, err := listAll(t, e, words[1], words[2])
		return outcome(records, err)
	case "get":
		record, err := e.Get(t.Context(), words[1], words[2], engine.Query{})
		return outcome(json.RawMessage(record.JSON), err)
	}
	w := engine.Write{Operation: words[0], Entity: words[1], ID: words[2], IfMatch: words[3], IdempotencyKey: "key-1", Now: time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)}
	if strings.TrimSpace(body) != "" {
		var err error
		if w.Body, err = connectors.DecodeBody([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	result, err := e.Write(t.Context(), w)
	if err == nil && result.Record.JSON == nil {
		return fmt.Sprintf("%d %s\n", result.Status, result.DeleteMode)
	}
	return outcome(json.RawMessage(result.Record.JSON), err)
}

func listAll(t *testing.T, e *engine.Engine, entity, query string) ([]json.RawMessage, error) {
	t.Helper()
	params, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	records := []json.RawMessage{}
	for {
		page, err := e.List(t.Context(), entity, engine.Query{Params: params})
		if err != nil {
			return records, err
		}
		for _, record := range page.Data {
			records = append(records, record.JSON)
		}
		if !page.HasMore {
			return records, nil
		}
		params.Set("cursor", page.NextCursor)
	}
}

func outcome(v any, err error) string {
	if err != nil {
		v = describe(err)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return indented(raw)
}

// describe is what of a fault the caller decides by.
func describe(err error) any {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error()
	}
	out := map[string]any{"code": f.Code, "scope": f.Scope, "outcome": f.Outcome, "detail": f.Detail, "advice": f.Advice, "retryable": f.Retryable}
	if len(f.Fields) > 0 {
		out["fields"] = f.Fields
	}
	return map[string]any{"fault": out}
}

func indented(raw []byte) string {
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(raw), "", "  "); err != nil {
		return string(raw)
	}
	return out.String() + "\n"
}
