package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds of a JSON document. Values is what keeps memory small: a byte of JSON can cost thirty of memory.
const (
	maxDepth   = 64
	maxMembers = 10_000    // of one object: the columns of a record
	maxValues  = 2_000_000 // of the whole document
)

// Decode reads a JSON document of a system: maps, slices, strings, bools, nil, and numbers as json.Number. What nests
// too deep or has too many members is refused before it is built.
func Decode(raw []byte) (any, error) {
	if err := survey(raw); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON value")
	}
	return v, nil
}

// survey counts without building anything. It need not understand JSON beyond its brackets, commas and strings: what
// it lets through that is none, the decoder refuses.
func survey(raw []byte) error {
	type level struct {
		object  bool
		members int
	}
	levels := make([]level, 0, maxDepth)
	values := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			if i = endOfString(raw, i); i < 0 {
				return errors.New("the answer is no JSON: a string does not end")
			}
		case '{', '[':
			if len(levels) == maxDepth {
				return fmt.Errorf("the answer nests deeper than %d levels", maxDepth)
			}
			levels = append(levels, level{object: raw[i] == '{'})
			values++
		case '}', ']':
			if len(levels) > 0 {
				levels = levels[:len(levels)-1]
			}
		case ',':
			values++
			if len(levels) == 0 {
				continue
			}
			top := &levels[len(levels)-1]
			if top.members++; top.object && top.members >= maxMembers {
				return fmt.Errorf("a record of the answer has more than %d columns", maxMembers)
			}
		}
		if values > maxValues {
			return fmt.Errorf("the answer holds more than %d values", maxValues)
		}
	}
	return nil
}

// endOfString gives the index of the closing quote of the string that opens at i; -1: it has none.
func endOfString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// At walks an answer: members by name, items by index. What is not there is null.
func At(v any, path string) any {
	if path == "." {
		return v
	}
	for step := range strings.SplitSeq(path, ".") {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(inner) {
				return nil
			}
			v = inner[i]
		default:
			return nil
		}
	}
	return v
}
