package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Bounds of a definition file: it may come from anywhere.
const (
	MaxFile  = 1 << 20 // bytes of one file
	MaxFiles = 2000    // files of one load
	maxDepth = 24      // levels of nesting
	maxNodes = 50_000  // scalars, lists and maps of one file
)

// node is one place in a definition: a map, a list or a scalar that remembers where it was written. Merging moves nodes
// between trees and never copies them, so that a fault of a merged definition names the layer's own file and line.
type node struct {
	file    string
	line    int
	scalar  any      // string, bool, json.Number or nil, where it is neither map nor list
	keys    []string // of a map, in the order of the file
	members map[string]*node
	items   []*node // of a list
}

func (n *node) isMap() bool  { return n.members != nil }
func (n *node) isList() bool { return n.items != nil }
func (n *node) isNull() bool { return !n.isMap() && !n.isList() && n.scalar == nil }

// child finds a member by its key, or an item by its index.
func (n *node) child(key string) *node {
	if n.isMap() {
		return n.members[key]
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.items) {
		return n.items[i]
	}
	return nil
}

func (n *node) set(key string, member *node) {
	if _, there := n.members[key]; !there {
		n.keys = append(n.keys, key)
	}
	n.members[key] = member
}

// text gives a scalar's string; "" where it is anything else.
func (n *node) text(path ...string) string {
	for _, key := range path {
		if n = n.child(key); n == nil {
			return ""
		}
	}
	s, _ := n.scalar.(string)
	return s
}

// value gives the tree as encoding/json would decode it, numbers as json.Number.
func (n *node) value() any {
	switch {
	case n.isMap():
		out := make(map[string]any, len(n.keys))
		for _, key := range n.keys {
			out[key] = n.members[key].value()
		}
		return out
	case n.isList():
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = item.value()
		}
		return out
	}
	return n.scalar
}

// parse reads one YAML document. Anchors, aliases, merge keys and several documents are refused: layers say the same
// more clearly, and an alias can make a small file a huge one.
func parse(file string, raw []byte) (*node, error) {
	if len(raw) > MaxFile {
		return nil, Problems{{File: file, Message: fmt.Sprintf("the file is larger than %d bytes", MaxFile)}}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	var doc yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, Problems{{File: file, Line: 1, Message: "the file is empty"}}
	} else if err != nil {
		return nil, Problems{{File: file, Message: err.Error()}}
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, Problems{{File: file, Message: "the file holds more than one document, or trailing text that is no YAML"}}
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, Problems{{File: file, Line: 1, Message: "a definition is a map of keys"}}
	}
	r := reader{file: file}
	root := r.node(doc.Content[0], 0)
	return root, r.problems.orNil()
}

// reader turns the nodes of yaml into ours.
type reader struct {
	file     string
	count    int
	problems Problems
}

func (r *reader) refuse(y *yaml.Node, format string, args ...any) *node {
	if len(r.problems) < 50 {
		r.problems = append(r.problems, Problem{File: r.file, Line: y.Line, Message: fmt.Sprintf(format, args...)})
	}
	return &node{file: r.file, line: y.Line}
}

func (r *reader) node(y *yaml.Node, depth int) *node {
	r.count++
	switch {
	case depth > maxDepth:
		return r.refuse(y, "nested deeper than %d levels", maxDepth)
	case r.count > maxNodes:
		return r.refuse(y, "more than %d values in one file", maxNodes)
	case y.Anchor != "" || y.Kind == yaml.AliasNode:
		return r.refuse(y, "anchors and aliases are not used here: put what is shared into a layer")
	}
	n := &node{file: r.file, line: y.Line}
	switch y.Kind {
	case yaml.MappingNode:
		r.members(n, y, depth)
	case yaml.SequenceNode:
		n.items = []*node{}
		for _, item := range y.Content {
			n.items = append(n.items, r.node(item, depth+1))
		}
	default:
		n.scalar = r.scalar(y)
	}
	return n
}

func (r *reader) members(n *node, y *yaml.Node, depth int) {
	n.members = make(map[string]*node, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		switch _, twice := n.members[key.Value]; {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			r.refuse(key, "a key must be a plain word")
		case twice:
			r.refuse(key, "the key %q stands here twice", key.Value)
		default:
			n.set(key.Value, r.node(y.Content[i+1], depth+1))
		}
	}
}

func (r *reader) scalar(y *yaml.Node) any {
	switch y.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if y.Decode(&b) == nil {
			return b
		}
	case "!!int":
		var i int64
		if y.Decode(&i) == nil {
			return json.Number(strconv.FormatInt(i, 10))
		}
		r.refuse(y, "the number %q is out of range", y.Value)
	case "!!float":
		var f float64
		if y.Decode(&f) == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
		}
		r.refuse(y, "the number %q is out of range", y.Value)
	}
	return y.Value
}
