package definition

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Set is all definitions that were loaded together. It never changes.
type Set struct {
	layers   []string // ids, of systems and of what they extend
	systems  []*Definition
	faulty   []Faulty
	programs map[*Definition]*Program // of Prepare
}

// Systems lists the systems by id; abstract layers are none.
func (s *Set) Systems() []*Definition { return slices.Clone(s.systems) }

// Layers lists the ids that a definition can extend.
func (s *Set) Layers() []string { return slices.Clone(s.layers) }

// Lookup finds a system; nil: there is none of the id.
func (s *Set) Lookup(id string) *Definition {
	for _, d := range s.systems {
		if d.Metadata.ID == id {
			return d
		}
	}
	return nil
}

// Of finds the system that a file defines, or is laid over; nil: there is none, or the file is a layer of several.
func (s *Set) Of(file string) (found *Definition) {
	for _, d := range s.systems {
		if !slices.Contains(d.files, file) {
			continue
		}
		if found != nil {
			return nil
		}
		found = d
	}
	return found
}

// Load reads every *.yaml of the file systems, merges the layers, and checks each system. Later file systems come from
// closer to the plant: an id that is there already is replaced by theirs. The error, if any, is Problems: all of them;
// the Set then holds the systems that are sound, so that one bad file takes no other system away.
func Load(sources ...fs.FS) (*Set, error) {
	l, err := newLoader()
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		l.read(source)
	}
	set := l.set()
	return set, set.problems().orNil()
}

// problems gives those of all that is faulty.
func (s *Set) problems() (all Problems) {
	for _, f := range s.faulty {
		all = append(all, f.Problems...)
	}
	return all
}

// LoadFiles reads some files, by name, over the layers below; they are judged together, so that one of them may extend
// another. The error is that of Load.
func LoadFiles(files map[string][]byte, below ...fs.FS) (*Set, error) {
	l, err := newLoader()
	if err != nil {
		return nil, err
	}
	for _, source := range below {
		l.read(source)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		l.file(name, files[name])
	}
	set := l.set()
	return set, set.problems().orNil()
}

type loader struct {
	schema   *jsonschema.Schema
	env      *environment
	layers   map[string]*node
	overlays map[string][]*node // by the id that they are laid over
	files    int
	problems Problems
}

func newLoader() (*loader, error) {
	schema, err := compileSchema()
	if err != nil {
		return nil, fmt.Errorf("compile the schema of definitions: %w", err)
	}
	env, err := newEnvironment()
	if err != nil {
		return nil, err
	}
	return &loader{schema: schema, env: env, layers: map[string]*node{}, overlays: map[string][]*node{}}, nil
}

// set makes the systems of what was read.
func (l *loader) set() *Set {
	for _, id := range slices.Sorted(maps.Keys(l.overlays)) {
		if l.layers[id] == nil {
			l.problems = append(l.problems, l.overlays[id][0].at([]string{"metadata", "overlay"}, "there is no system %q to lay this over", id))
		}
	}
	set := &Set{layers: slices.Sorted(maps.Keys(l.layers))}
	if len(l.problems) > 0 {
		set.faulty = append(set.faulty, Faulty{Problems: l.problems})
	}
	for _, id := range slices.Sorted(maps.Keys(l.layers)) {
		l.problems = nil
		switch d := l.system(id); {
		case len(l.problems) > 0:
			set.faulty = append(set.faulty, Faulty{id, l.problems})
		case d != nil:
			set.systems = append(set.systems, d)
		}
	}
	return set
}

func (l *loader) read(source fs.FS) {
	err := fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		if l.files++; l.files > MaxFiles {
			return fmt.Errorf("more than %d definition files", MaxFiles)
		}
		raw, err := readBounded(source, name)
		if err != nil {
			return err
		}
		l.file(name, raw)
		return nil
	})
	if err != nil {
		l.problems = append(l.problems, Problem{File: ".", Message: err.Error()})
	}
}

// readBounded reads a file up to the bound that parse refuses.
func readBounded(source fs.FS, name string) ([]byte, error) {
	f, err := source.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxFile+1))
}

func (l *loader) file(name string, raw []byte) {
	root, err := parse(name, raw)
	if err != nil {
		l.add(name, err)
		return
	}
	id := root.text("metadata", "id")
	switch over := root.text("metadata", "overlay"); {
	case over != "":
		l.overlays[over] = append(l.overlays[over], root)
	case id == "":
		l.problems = append(l.problems, root.at([]string{"metadata", "id"}, "a definition needs an id"))
	default:
		l.layers[id] = root
	}
}

func (l *loader) add(file string, err error) {
	if ps, ok := err.(Problems); ok {
		l.problems = append(l.problems, ps...)
		return
	}
	l.problems = append(l.problems, Problem{File: file, Message: err.Error()})
}

// system merges and checks one system; nil where the layer is abstract or has a fault.
func (l *loader) system(id string) *Definition {
	own := l.layers[id]
	if abstract := own.members["metadata"].child("abstract"); abstract != nil && abstract.scalar == true {
		return nil
	}
	merged, files, problems := l.merged(id)
	if len(problems) == 0 {
		problems = validate(l.schema, merged)
	}
	if len(problems) > 0 {
		l.problems = append(l.problems, problems...)
		return nil
	}
	d, err := decode(merged)
	if err != nil {
		l.add(own.file, err)
		return nil
	}
	d.env = l.env
	if problems := lint(d); len(problems) > 0 {
		l.problems = append(l.problems, problems...)
		return nil
	}
	d.files = files
	return d
}

// merged lays the layers of a system over each other: each once, the deepest first, its overlays last. It tells their files.
func (l *loader) merged(id string) (out *node, files []string, problems Problems) {
	order, problems := l.order(id, nil, nil)
	if len(problems) > 0 {
		return nil, nil, problems
	}
	for _, layer := range append(order, l.overlays[id]...) {
		out, files = merge(out, layer), append(files, layer.file)
	}
	own := l.layers[id]
	meta := merge(out.members["metadata"], own.members["metadata"])
	delete(meta.members, "abstract") // a layer's property, not inherited; nor is what an overlay is laid over
	delete(meta.members, "overlay")
	meta.keys = slices.DeleteFunc(meta.keys, func(k string) bool { return k == "abstract" || k == "overlay" })
	out.members["metadata"] = meta
	return out, files, nil
}

// order lists the layers below id, depth first, then its own.
func (l *loader) order(id string, done []*node, above []string) ([]*node, Problems) {
	layer := l.layers[id]
	extends := layer.members["metadata"].child("extends")
	if extends != nil {
		for i, item := range extends.items {
			below, _ := item.scalar.(string)
			at := []string{"metadata", "extends", fmt.Sprint(i)}
			switch {
			case l.layers[below] == nil:
				return nil, Problems{layer.at(at, "there is no layer %q", below)}
			case below == id || slices.Contains(above, below):
				return nil, Problems{layer.at(at, "the layers go round in a circle: %s", strings.Join(append(above, id, below), " → "))}
			}
			var problems Problems
			if done, problems = l.order(below, done, append(above, id)); problems != nil {
				return nil, problems
			}
		}
	}
	if !slices.Contains(done, layer) {
		done = append(done, layer)
	}
	return done, nil
}

// decode turns a valid tree into a Definition.
func decode(root *node) (*Definition, error) {
	raw, err := json.Marshal(root.value())
	if err != nil {
		return nil, err
	}
	d := &Definition{root: root}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(d); err != nil {
		return nil, Problems{root.at(nil, "%v", err)}
	}
	sum := sha256.Sum256(raw)
	d.Digest = hex.EncodeToString(sum[:])
	d.complete()
	return d, nil
}
