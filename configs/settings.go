package configs

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Setting is a value that a configuration file sets.
type Setting struct {
	Path  string // of the key: proxy.url
	Value string // in YAML, on one line
	Line  int
}

// AgentSettings lists what a document of the agent sets, in the order of its lines; what it does not set has its default. Of a
// document that is no YAML it gives nothing: ParseAgent tells what is wrong.
func AgentSettings(file string, data []byte) []Setting {
	root := newReport(file).root(data)
	if root == nil {
		return nil
	}
	return settings("", root, root.Line, nil, maxDepth)
}

// settings adds what stands below a key of a line.
func settings(path string, n *yaml.Node, line int, all []Setting, depth int) []Setting {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 || depth == 0 {
		return append(all, Setting{path, oneLine(n), line})
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		all = settings(strings.TrimPrefix(path+"."+key.Value, "."), value, key.Line, all, depth-1)
	}
	return all
}

// oneLine writes a value as a person would in one line.
func oneLine(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	var items []string
	for _, item := range n.Content {
		items = append(items, oneLine(item))
	}
	return "[" + strings.Join(items, ", ") + "]"
}
