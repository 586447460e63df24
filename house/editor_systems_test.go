//go:build systems

package house

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gantry/connectors/catalogue"
)

// TestDefinitionsInAnEditor opens definitions in the YAML language server, which is what editors ask, with the schema that
// the agent prints: a begun definition and every one of the catalogue are sound to it, a wrong word is marked in its line,
// and the names of entities, fields and codes are offered.
func TestDefinitionsInAnEditor(t *testing.T) {
	folder := t.TempDir()
	agent := exec.CommandContext(t.Context(), program(t, "gantry-agent"), "connectors", "new", "our-mes", "--dialect", "sqlserver",
		"--entity", "work-orders", "--table", "dbo.WorkOrder", "--key", "WorkOrderID")
	agent.Dir = folder
	if out, err := agent.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	begun, err := os.ReadFile(folder + "/our-mes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	e := openEditor(t, folder)
	if found := e.marks("our-mes.yaml", string(begun)); len(found) > 0 {
		t.Errorf("what `connectors new` writes: %v", found)
	}
	modeline, _, _ := strings.Cut(string(begun), "\n")
	err = fs.WalkDir(catalogue.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".yaml" {
			return err
		}
		text, err := fs.ReadFile(catalogue.FS, name)
		if found := e.marks(strings.ReplaceAll(name, "/", "-"), modeline+"\n"+string(text)); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	head := modeline + "\nmetadata: {id: x, version: 1.0.0, product: X}\nentities:\n  work-orders:\n"
	wrong := head + "    filds: {}\n    rules:\n      - {on: [update], when: 'true', deny: RECORD_LOKED, message: no}\n"
	if found := e.marks("wrong.yaml", wrong); !slices.ContainsFunc(found, func(m string) bool { return strings.HasPrefix(m, "5: ") && strings.Contains(m, "filds") }) ||
		!slices.ContainsFunc(found, func(m string) bool { return strings.HasPrefix(m, "7: ") }) {
		t.Errorf("two wrong words: %q", found)
	}
	for _, test := range []struct{ name, text, offered string }{
		{"entities", modeline + "\nentities:\n  ", "purchase-orders"},
		{"fields", head + "    fields:\n      ", "asset_id"},
		{"codes", head + "    rules:\n      - deny: ", "RECORD_LOCKED"},
		{"drivers", modeline + "\ndriver: ", "sql"},
	} {
		if offered := e.offers("complete-"+test.name+".yaml", test.text); !slices.Contains(offered, test.offered) {
			t.Errorf("%s: %q is not among what is offered: %q", test.name, test.offered, offered)
		}
	}
}

// editor speaks the Language Server Protocol 3.17 to the YAML language server.
type editor struct {
	t       *testing.T
	folder  string
	in      io.Writer
	out     *textproto.Reader
	counter int
}

func openEditor(t *testing.T, folder string) *editor {
	t.Helper()
	systems, err := filepath.Abs("../.systems")
	if set := os.Getenv("GANTRY_SYSTEMS"); set != "" {
		systems, err = set, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), "node", systems+"/editor/node_modules/yaml-language-server/bin/yaml-language-server", "--stdio")
	in, err1 := server.StdinPipe()
	out, err2 := server.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	e := &editor{t: t, folder: folder, in: in, out: textproto.NewReader(bufio.NewReader(out))}
	e.ask("initialize", map[string]any{"processId": os.Getpid(), "rootUri": "file://" + folder, "capabilities": map[string]any{}})
	e.send(map[string]any{"method": "initialized", "params": map[string]any{}})
	return e
}

// marks opens a file and gives what the server finds wrong with it: "line: message".
func (e *editor) marks(name, text string) []string {
	e.t.Helper()
	uri := e.open(name, text)
	for {
		m := e.receive()
		if m.Method != "textDocument/publishDiagnostics" {
			continue
		}
		var p struct {
			URI         string
			Diagnostics []struct {
				Message string
				Range   struct{ Start struct{ Line int } }
			}
		}
		e.decode(m.Params, &p)
		if p.URI != uri {
			continue
		}
		var out []string
		for _, d := range p.Diagnostics {
			out = append(out, fmt.Sprintf("%d: %s", d.Range.Start.Line+1, d.Message))
		}
		return out
	}
}

// offers gives what the server offers at the end of a file.
func (e *editor) offers(name, text string) (labels []string) {
	e.t.Helper()
	uri := e.open(name, text)
	last := strings.Count(text, "\n")
	at := map[string]any{"line": last, "character": len(text) - 1 - strings.LastIndex(text, "\n")}
	var answer struct{ Items []struct{ Label string } }
	e.decode(e.ask("textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": uri}, "position": at}), &answer)
	for _, item := range answer.Items {
		labels = append(labels, item.Label)
	}
	return labels
}

func (e *editor) open(name, text string) (uri string) {
	uri = "file://" + filepath.Join(e.folder, name)
	e.send(map[string]any{"method": "textDocument/didOpen", "params": map[string]any{
		"textDocument": map[string]any{"uri": uri, "languageId": "yaml", "version": 1, "text": text}}})
	return uri
}

// spoken is one of the server's: an answer, a request of its own or a notice.
type spoken struct {
	ID     any             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

func (e *editor) ask(method string, params any) json.RawMessage {
	e.t.Helper()
	e.counter++
	e.send(map[string]any{"id": e.counter, "method": method, "params": params})
	for {
		m := e.receive()
		if m.Method == "" && m.ID == float64(e.counter) {
			if m.Error != nil {
				e.t.Fatalf("%s: %s", method, m.Error)
			}
			return m.Result
		}
	}
}

func (e *editor) send(m map[string]any) {
	e.t.Helper()
	m["jsonrpc"] = "2.0"
	body, err := json.Marshal(m)
	if err == nil {
		_, err = fmt.Fprintf(e.in, "Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

// receive gives the server's next message; it answers what the server asks on the way with nothing.
func (e *editor) receive() spoken {
	e.t.Helper()
	header, err := e.out.ReadMIMEHeader()
	if err != nil {
		e.t.Fatal(err)
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		e.t.Fatal(err)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(e.out.R, body); err != nil {
		e.t.Fatal(err)
	}
	var m spoken
	e.decode(body, &m)
	if m.Method != "" && m.ID != nil {
		e.send(map[string]any{"id": m.ID, "result": nil})
	}
	return m
}

func (e *editor) decode(raw []byte, into any) {
	e.t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		e.t.Fatalf("%v: %s", err, raw)
	}
}
