package clitest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"

	"gantry/configs/cli"
)

// Documents are the --json documents of a program: the value's type by the command's path without the program's name,
// as "config check"; a command stands for those below it, too. NoDocument stands for a command that has none.
type Documents map[string]any

// NoDocument is what a command has that answers with no document.
type NoDocument struct {
	Why string
}

// Unshown is a document that no script can show, and why: it needs a system's service manager, say.
type Unshown struct {
	Document any
	Why      string
}

// Either is one of several documents, of a command whose flags decide which.
type Either []any

// of gives a command's document; nil: it has none.
func (d Documents) of(path string) any {
	entry, _ := d.entry(path)
	switch entry := d[entry].(type) {
	case NoDocument:
		return nil
	case Unshown:
		return entry.Document
	default:
		return entry
	}
}

// entry gives the words by which a command is listed: its own, or those of a command above it.
func (d Documents) entry(path string) (words string, listed bool) {
	for words = path; words != ""; words = words[:max(strings.LastIndexByte(words, ' '), 0)] {
		if _, ok := d[words]; ok {
			return words, true
		}
	}
	return "", false
}

func itoa(n int) string { return strconv.Itoa(n) }

// pathOf is a command's path without the program's name.
func pathOf(cmd *cobra.Command) string {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	return path
}

// schemas writes the schema of each document.
func schemas(root *cobra.Command, documents Documents, files map[string][]byte) {
	for path := range documents {
		if document := documents.of(path); document != nil {
			name := strings.ReplaceAll(path, " ", "-") + ".json"
			files[filepath.Join("schemas", root.Name(), name)] = encode(schemaOf(root.Name()+" "+path+" --json", document, false))
		}
	}
}

// Listed checks that the list names every command, and nothing else.
func Listed(t *testing.T, root *cobra.Command, documents Documents) {
	t.Helper()
	root.InitDefaultHelpCmd()
	var paths []string
	for _, cmd := range commandsOf(root) {
		words, ok := documents.entry(pathOf(cmd))
		paths = append(paths, words)
		if !ok {
			t.Errorf("%s: list its --json document in documents_test.go", cmd.CommandPath())
		}
	}
	for path := range documents {
		if !slices.Contains(paths, path) {
			t.Errorf("documents_test.go lists %q, which is no command", path)
		}
	}
}

// SeenVariable is the environment variable that names the file in which Main notes whose documents it has validated.
const SeenVariable = "GANTRY_DOCUMENTS_SEEN"

// Watch gives such a file, and a check that the document of every command was seen.
func Watch(t *testing.T) (file string, check func(Documents)) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "seen")
	return file, func(documents Documents) {
		seen, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for path := range documents {
			if _, unshown := documents[path].(Unshown); !unshown && documents.of(path) != nil && !bytes.Contains(seen, []byte("\n"+path+"\n")) {
				t.Errorf("no script shows the document of %q: add one with --json", path)
			}
		}
	}
}

// Program runs one command line, as the Main of both programs does.
type Program func(ctx context.Context, args []string, in io.Reader, out, talk io.Writer) int

// Main stands in for the program in testscripts: it does the same, and validates what it answers with --json. An answer
// that is not as published ends with 99.
func Main(run Program, root *cobra.Command, documents Documents) {
	args := os.Args[1:]
	if !slices.Contains(args, "--json") {
		os.Exit(run(context.Background(), args, os.Stdin, os.Stdout, os.Stderr))
	}
	var answer bytes.Buffer
	code := run(context.Background(), args, os.Stdin, io.MultiWriter(os.Stdout, &answer), os.Stderr)
	if answer.Len() > 0 {
		if err := validate(root, documents, args, code, answer.Bytes()); err != nil {
			fmt.Fprintf(os.Stderr, "the --json answer is not as published: %v\n%s", err, answer.Bytes())
			code = 99
		}
	}
	os.Exit(code)
}

func validate(root *cobra.Command, documents Documents, args []string, code int, answer []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer))
	if err != nil {
		return err
	}
	if members, ok := value.(map[string]any); ok && code != cli.ExitOK && members["error"] != nil {
		return matches(cli.Failed{}, value)
	}
	cmd, _, err := root.Find(args)
	if err != nil {
		return err
	}
	document := documents.of(pathOf(cmd))
	if document == nil {
		return fmt.Errorf("%s is listed without a document", cmd.CommandPath())
	}
	if err := matches(document, value); err != nil {
		return err
	}
	words, _ := documents.entry(pathOf(cmd))
	return note(words)
}

// matches validates a decoded answer against the closed schema of a document.
func matches(document, value any) error {
	var schema any
	if err := json.Unmarshal(encode(schemaOf("", document, true)), &schema); err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("document.json", schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile("document.json")
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}

func note(path string) error {
	file := os.Getenv(SeenVariable)
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, "\n"+path+"\n")
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
