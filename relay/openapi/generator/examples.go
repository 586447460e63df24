package generator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gantry/relay/openapi"
	"gantry/tunnel/fault"
)

// examples are real requests and answers, a file for each operation: what a relay, an agent and the demo plant said.
type examples struct {
	of       map[string]example
	problems []json.RawMessage
	used     map[string]bool
}

type example struct {
	Request json.RawMessage            `json:"request,omitempty"`
	Answers map[string]json.RawMessage `json:"answers,omitempty"` // by status
}

// readExamples reads the folder. One that is not there holds none.
func readExamples(folder string) (*examples, error) {
	e := &examples{of: map[string]example{}, used: map[string]bool{}}
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read examples: %w", err)
	}
	for _, entry := range entries {
		raw, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read examples: %w", err)
		}
		into, name := any(nil), strings.TrimSuffix(entry.Name(), ".json")
		var one example
		if into = &one; name == "problems" {
			into = &e.problems
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return nil, fmt.Errorf("read example %s: %w", name, err)
		}
		if name != "problems" {
			e.of[name] = one
		}
	}
	return e, nil
}

// unused tells examples of operations that are gone.
func (e *examples) unused() error {
	for name := range e.of {
		if !e.used[name] {
			return fmt.Errorf("the example %s is of no operation", name)
		}
	}
	return nil
}

func (e *examples) request(id string) any {
	e.used[id] = true
	return orNone(e.of[id].Request)
}

func (e *examples) answer(id string, status int, media string) any {
	e.used[id] = true
	if media != openapi.JSON {
		return nil
	}
	return orNone(e.of[id].Answers[strconv.Itoa(status)])
}

// problem gives a real failure with one of the codes.
func (e *examples) problem(codes []fault.Code) any {
	for _, raw := range e.problems {
		var p fault.Problem
		if json.Unmarshal(raw, &p) == nil && slices.Contains(codes, p.Code) {
			return raw
		}
	}
	return nil
}

func orNone(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}
