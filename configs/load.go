package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Load reads the YAML file over the defaults, strictly, and validates the result; validate may also complete it (make
// paths absolute) and may be nil. The error is *Problems with everything that is wrong at once, or that of reading the
// file (os.ErrNotExist where there is none).
func Load[T any](file string, defaults T, validate func(*T, *Report)) (T, error) {
	data, err := readBounded(file)
	if err != nil {
		return defaults, err
	}
	return Parse(file, data, defaults, validate)
}

// Parse is Load for a document that is in memory; file is the name that its problems carry.
func Parse[T any](file string, data []byte, defaults T, validate func(*T, *Report)) (T, error) {
	config, _, err := parse(file, data, defaults, validate)
	return config, err
}

// parse also gives the report, which knows where each key stands.
func parse[T any](file string, data []byte, config T, validate func(*T, *Report)) (T, *Report, error) {
	r := newReport(file)
	if root := r.root(data); root != nil {
		d := decoder{report: r, shape: reflect.TypeFor[T]()}
		d.value("", root, reflect.ValueOf(&config).Elem())
	}
	if validate != nil {
		validate(&config, r)
	}
	return config, r, r.err()
}

// root gives the document's mapping; nil where the document is empty, or is no mapping, which it reports.
func (r *Report) root(data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		r.Reject("", "Mind the indentation (spaces, no tabs) and quote values that hold `: ` or `#`", "this is not YAML: %v", err)
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		r.Reject("", "Take away the line `---` and what follows it", "the file holds more than one YAML document")
		return nil
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil
	}
	return root
}

// readBounded reads a file that is no larger than maxFile.
func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open configuration: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", file, err)
	}
	if len(data) > maxFile {
		return nil, &Problems{List: []Problem{{File: file, What: "the file is larger than 1 MiB", Fix: "Check that this is the right file"}}}
	}
	return data, nil
}

// absolute makes a path of a configuration file absolute: it counts from the file's own folder, not from wherever the
// program was started.
func absolute(file, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	base, err := filepath.Abs(filepath.Dir(file))
	if err != nil { // no working directory: the path stays as it is, and opening it will say so
		return path
	}
	return filepath.Join(base, path)
}
