package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// errByHand is the answer for a file that is written in a way that this package does not edit: it would rather
// change nothing than something else.
var errByHand = errors.New("the file is written in an unusual way; edit it by hand, then run gantry-agent config check")

// text is a YAML document as lines, with the nodes that say what stands where. An edit is made once: afterwards the
// nodes' places are no longer true.
type text struct {
	lines []string // without their ends
	end   string   // of a line
	root  *yaml.Node
}

func parseText(data []byte) (*text, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	t := &text{end: "\n"}
	if bytes.Contains(data, []byte("\r\n")) {
		t.end = "\r\n"
	}
	for line := range strings.SplitSeq(strings.TrimRight(string(data), "\r\n"), "\n") {
		t.lines = append(t.lines, strings.TrimSuffix(line, "\r"))
	}
	if len(t.lines) == 1 && t.lines[0] == "" {
		t.lines = nil
	}
	if len(document.Content) > 0 && document.Content[0].Kind == yaml.MappingNode {
		t.root = document.Content[0]
	}
	return t, nil
}

func (t *text) bytes() []byte { return []byte(strings.Join(t.lines, t.end) + t.end) }

// find follows the path as far as it exists. It gives the keys and values met, and what is left of the path.
func (t *text) find(path []string) (keys, values []*yaml.Node, rest []string) {
	at := t.root
	for i, name := range path {
		if at == nil || at.Kind != yaml.MappingNode {
			return keys, values, path[i:]
		}
		index := -1
		for j := 0; j+1 < len(at.Content); j += 2 {
			if at.Content[j].Value == name {
				index = j
			}
		}
		if index < 0 {
			return keys, values, path[i:]
		}
		keys, values = append(keys, at.Content[index]), append(values, at.Content[index+1])
		at = at.Content[index+1]
	}
	return keys, values, nil
}

// setScalar writes `key: value`.
func (t *text) setScalar(path []string, value string) error {
	keys, values, rest := t.find(path)
	if len(rest) > 0 {
		return t.create(keys, values, rest, func(string) []string { return nil }, " "+value)
	}
	key, old := keys[len(keys)-1], values[len(values)-1]
	length := len(old.Value)
	switch {
	case old.Kind != yaml.ScalarNode:
		return errByHand
	case empty(old):
		return t.afterColon(key, " "+value)
	case old.Value == "" && old.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		length = len(`""`)
	case old.Style != 0:
		return errByHand
	}
	return t.splice(old.Line, old.Column, length, value)
}

// addMember writes the value as the last member of a list.
func (t *text) addMember(path []string, value string) error {
	item := func(indent string) []string { return []string{indent + "- " + quote(value)} }
	keys, values, rest := t.find(path)
	if len(rest) > 0 {
		return t.create(keys, values, rest, item, "")
	}
	key, list := keys[len(keys)-1], values[len(values)-1]
	switch {
	case empty(list):
		return t.insert(key.Line, item(indent(key.Column+2)))
	case list.Kind != yaml.SequenceNode:
		return errByHand
	case list.Style&yaml.FlowStyle != 0:
		return t.rewrite(list, append(members(list), value))
	}
	return t.insert(last(list), item(indent(list.Column)))
}

// removeMember takes the value off a list. The last one leaves `[]` behind.
func (t *text) removeMember(path []string, value string) error {
	keys, values, rest := t.find(path)
	if len(rest) > 0 || values[len(values)-1].Kind != yaml.SequenceNode {
		return errByHand
	}
	key, list := keys[len(keys)-1], values[len(values)-1]
	if list.Style&yaml.FlowStyle != 0 {
		return t.rewrite(list, slices.DeleteFunc(members(list), func(s string) bool { return s == value }))
	}
	kept := 0
	for _, item := range slices.Backward(list.Content) {
		if item.Value != value {
			kept++
			continue
		}
		t.lines = slices.Delete(t.lines, item.Line-1, item.Line)
	}
	if kept == 0 {
		return t.afterColon(key, " []")
	}
	return nil
}

// create writes the keys that are missing below the last of those found, and what belongs to the innermost.
func (t *text) create(keys, values []*yaml.Node, rest []string, body func(indent string) []string, value string) error {
	column, line := 1, len(t.lines)
	switch {
	case len(values) == 0 && t.root != nil:
		if t.root.Style&yaml.FlowStyle != 0 {
			return errByHand
		}
		column, line = t.root.Column, last(t.root)
	case len(values) > 0:
		key, parent := keys[len(keys)-1], values[len(values)-1]
		switch {
		case parent.Kind == yaml.MappingNode && len(parent.Content) == 0:
			if err := t.splice(parent.Line, parent.Column, len("{}"), ""); err != nil {
				return err
			}
			column, line = key.Column+2, key.Line
		case empty(parent):
			column, line = key.Column+2, key.Line
		case parent.Kind != yaml.MappingNode || parent.Style&yaml.FlowStyle != 0:
			return errByHand
		default:
			column, line = parent.Column, last(parent)
		}
	}
	var block []string
	for i, name := range rest {
		block = append(block, indent(column+2*i)+quote(name)+":")
	}
	block[len(block)-1] += value
	return t.insert(line, append(block, body(indent(column+2*len(rest)))...))
}

// rewrite writes a list in brackets anew; it must stand on one line.
func (t *text) rewrite(list *yaml.Node, values []string) error {
	from := list.Column
	if len(list.Content) > 0 {
		final := list.Content[len(list.Content)-1]
		if last(list) != list.Line {
			return errByHand
		}
		from = final.Column + len([]rune(final.Value))
	}
	line := []rune(t.lines[list.Line-1])
	length := slices.Index(line[min(from-1, len(line)):], ']')
	if length < 0 {
		return errByHand
	}
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = quote(value)
	}
	return t.splice(list.Line, list.Column, from+length-list.Column+1, "["+strings.Join(quoted, ", ")+"]")
}

// insert puts lines after a line, counted from 1; 0 is the top.
func (t *text) insert(after int, lines []string) error {
	if after > len(t.lines) {
		return errByHand
	}
	t.lines = slices.Insert(t.lines, after, lines...)
	return nil
}

// splice replaces length characters at a place by other text.
func (t *text) splice(line, column, length int, with string) error {
	if line > len(t.lines) {
		return errByHand
	}
	runes := []rune(t.lines[line-1])
	if column-1+length > len(runes) {
		return errByHand
	}
	t.lines[line-1] = strings.TrimRight(string(runes[:column-1])+with+string(runes[column-1+length:]), " ")
	return nil
}

// afterColon writes behind the colon of a key that has no value on its line.
func (t *text) afterColon(key *yaml.Node, with string) error {
	line := []rune(t.lines[key.Line-1])
	from := key.Column - 1 + len([]rune(key.Value))
	colon := slices.Index(line[min(from, len(line)):], ':')
	if colon < 0 {
		return errByHand
	}
	return t.splice(key.Line, from+colon+2, 0, with)
}

// empty reports whether a node is a key's missing value, which has no text of its own.
func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Value == ""
}

// last gives the last line on which a part of the node begins.
func last(n *yaml.Node) int {
	line := n.Line
	for _, child := range n.Content {
		line = max(line, last(child))
	}
	return line
}

func members(list *yaml.Node) []string {
	values := make([]string, len(list.Content))
	for i, item := range list.Content {
		values[i] = item.Value
	}
	return values
}

func indent(column int) string { return strings.Repeat(" ", column-1) }

// quote writes a text so that YAML reads it as that text, also between brackets.
func quote(s string) string {
	if strings.ContainsAny(s, ",[]{}") || strings.ContainsAny(s, "\n\r") {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	out, err := yaml.Marshal(s)
	if err != nil { // a text is always written
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return strings.TrimSuffix(string(out), "\n")
}
