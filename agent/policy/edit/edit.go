// Package edit changes the policy in agent.yaml the way a careful person would: one line, and nothing else.
//
// A Change says what shall be allowed or denied. It is planned against the policy as it is, so that the same change twice
// changes nothing, and so that a deny never widens and an allow never narrows. The plan is carried out on the file's text
// by line and column, which keeps comments, order, blank lines and line ends; then the result is loaded, and unless it
// means exactly what was planned, nothing is written.
//
// Way does the same for what an installation is told of the way to the relay.
//
// The package never edits anything else, and it does not make a running agent reload: that is package control's.
package edit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gantry/configs"
)

// Result says what a change did.
type Result struct {
	Changed bool     `json:"changed"`
	Created bool     `json:"created,omitempty"` // there was no file: the documented sample was written
	File    string   `json:"file"`
	Did     []string `json:"did,omitempty"`   // one sentence a step
	Notes   []string `json:"notes,omitempty"` // why the change alone does not do it
}

// File carries the change out on the configuration file, which it creates from the sample where there is none. The
// error is *configs.Problems where the file is faulty as it stands, *Invalid where the change makes no sense, or that of
// reading or writing.
func File(path string, c Change) (Result, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		real, err = path, nil
	}
	if err != nil {
		return Result{}, fmt.Errorf("find configuration: %w", err)
	}
	data, err := os.ReadFile(real)
	created := errors.Is(err, fs.ErrNotExist)
	if created {
		data, err = []byte(configs.AgentSample), nil
	}
	if err != nil {
		return Result{}, fmt.Errorf("read configuration: %w", err)
	}
	changed, result, err := Apply(path, data, c)
	if err != nil || !result.Changed {
		return result, err
	}
	result.Created = created
	return result, replace(real, changed)
}

// Apply carries the change out on a document; file is its name.
func Apply(file string, data []byte, c Change) ([]byte, Result, error) {
	result := Result{File: file}
	before, err := configs.ParseAgent(file, data)
	if err != nil {
		return nil, result, err
	}
	if err := c.check(); err != nil {
		return nil, result, err
	}
	steps, notes, err := c.plan(before.Policy)
	result.Notes = notes
	if err != nil {
		return nil, result, err
	}
	for _, s := range steps {
		if data, err = s.edit(data); err != nil {
			return nil, result, fmt.Errorf("edit %s: %w", file, err)
		}
		s.apply(&before.Policy)
		result.Did = append(result.Did, s.String())
	}
	result.Changed = len(steps) > 0
	return data, result, verify(file, data, before)
}

// verify loads what was written and compares it with what was meant.
func verify(file string, data []byte, meant configs.Agent) error {
	got, err := configs.ParseAgent(file, data)
	if err != nil {
		return fmt.Errorf("edit %s: %w", file, errors.Join(errByHand, err))
	}
	if !same(got, meant) {
		return fmt.Errorf("edit %s: %w", file, errByHand)
	}
	return nil
}

// replace writes the file whole or not at all, with the mode and owner that it had.
func replace(path string, data []byte) (err error) {
	mode := fs.FileMode(0o640)
	old, statErr := os.Stat(path)
	if statErr == nil {
		mode = old.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".agent-*.yaml")
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write configuration: %w", err), os.Remove(temp.Name()))
		}
	}()
	if err := errors.Join(fill(temp, data, mode, old), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

func fill(temp *os.File, data []byte, mode fs.FileMode, old fs.FileInfo) error {
	if _, err := temp.Write(data); err != nil {
		return err
	}
	if err := temp.Chmod(mode); err != nil {
		return err
	}
	if err := keepOwner(temp, old); err != nil {
		return err
	}
	return temp.Sync()
}

// Way writes how the relay is reached into a document, as Apply does: `proxy.url` and `ca_file`; an empty one stays as it
// is. file is the document's name. The error is *configs.Problems where the document is faulty as it stands, or *Invalid
// where what is to be written is none.
func Way(file string, data []byte, proxyURL, caFile string) ([]byte, error) {
	meant, err := configs.ParseAgent(file, data)
	if err != nil {
		return nil, err
	}
	for _, key := range []struct {
		path  []string
		value string
		at    *string
	}{{[]string{"proxy", "url"}, proxyURL, &meant.Proxy.URL}, {[]string{"ca_file"}, caFile, &meant.CAFile}} {
		if key.value == "" || key.value == *key.at {
			continue
		}
		t, err := parseText(data)
		if err != nil {
			return nil, fmt.Errorf("edit %s: %w", file, err)
		}
		if err := t.setScalar(key.path, quote(key.value)); err != nil {
			return nil, fmt.Errorf("edit %s: %w", file, err)
		}
		data, *key.at = t.bytes(), key.value
	}
	if _, err := configs.ParseAgent(file, data); err != nil {
		if problems, ok := errors.AsType[*configs.Problems](err); ok {
			p := problems.List[0]
			err = &Invalid{What: fmt.Sprintf("%s: %s.", p.Path, p.What), Fix: p.Fix + "."}
		}
		return nil, err
	}
	return data, verify(file, data, meant)
}
