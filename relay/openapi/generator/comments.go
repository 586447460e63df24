package generator

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// comments reads what the source says of types and fields: what stands beside the code stands in the document.
type comments struct {
	root     string                       // of the module
	packages map[string]map[string]string // by import path: by "Type" and "Type.Field"
}

// module is the path that ours begin with.
const module = "gantry/"

// of gives the comment of a type, or of a field of it; empty: there is none, or the type is not ours.
func (c *comments) of(t reflect.Type, field string) (string, error) {
	folder, ours := strings.CutPrefix(t.PkgPath(), module)
	if !ours {
		return "", nil
	}
	if c.packages[folder] == nil {
		found, err := read(filepath.Join(c.root, folder))
		if err != nil {
			return "", fmt.Errorf("read comments of %s: %w", folder, err)
		}
		c.packages[folder] = found
	}
	name, _, _ := strings.Cut(t.Name(), "[")
	if field == "" {
		return predicate(c.packages[folder][name]), nil
	}
	return sentence(c.packages[folder][name+"."+field]), nil
}

// read collects the comments of a folder's types.
func read(folder string) (map[string]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if general, ok := d.(*ast.GenDecl); ok {
				note(found, general)
			}
		}
	}
	return found, nil
}

func note(found map[string]string, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		t, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		about := t.Doc
		if about == nil && len(d.Specs) == 1 {
			about = d.Doc
		}
		found[t.Name.Name] = line(about)
		if body, ok := t.Type.(*ast.StructType); ok {
			for _, field := range body.Fields.List {
				for _, name := range field.Names {
					found[t.Name.Name+"."+name.Name] = line(field.Doc) + line(field.Comment)
				}
			}
		}
	}
}

// line joins the lines of a comment.
func line(g *ast.CommentGroup) string { return strings.Join(strings.Fields(g.Text()), " ") }

// predicate makes "siteDocument is a plant network." a sentence without its subject: "A plant network."
func predicate(s string) string {
	_, rest, _ := strings.Cut(s, " ")
	for _, verb := range []string{"is ", "are "} {
		rest = strings.TrimPrefix(rest, verb)
	}
	return sentence(rest)
}

// sentence begins with a capital and ends with a stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "…") {
		s += "."
	}
	return s
}
