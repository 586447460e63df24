// Package reference shows the API's OpenAPI document to people: one page, made of the document by templates that are built
// in, with its style sheet, without a script, and without anything from another host.
//
// It shows what the document says and knows nothing else of the API; what is missing here is missing there.
package reference

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Path is where the page lies; its style sheet lies below.
const Path = "/docs"

const stylePath = Path + "/style.css"

//go:embed page.html style.css
var files embed.FS

// policy lets the page use its own style sheet and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page serves the reference. It is made when it is first asked for.
type Page struct {
	made func() (map[string]file, error)
}

// file is something that is served as it is.
type file struct {
	kind    string
	tag     string
	content []byte
	packed  []byte // by gzip
}

// New makes the page of a document.
func New(document []byte) *Page {
	return &Page{made: sync.OnceValues(func() (map[string]file, error) { return build(document) })}
}

func build(document []byte) (map[string]file, error) {
	shown, err := read(document)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	page, err := template.New("page.html").Funcs(words(shown)).ParseFS(files, "page.html")
	if err != nil {
		return nil, fmt.Errorf("read the page's template: %w", err)
	}
	var html bytes.Buffer
	if err := page.Execute(&html, shown); err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	style, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	return map[string]file{
		Path:      pack("text/html; charset=utf-8", html.Bytes()),
		stylePath: pack("text/css; charset=utf-8", style),
	}, nil
}

func pack(kind string, content []byte) file {
	sum := sha256.Sum256(content)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(content) // into memory
	_ = w.Close()
	return file{kind, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, content, packed.Bytes()}
}

// Serves reports whether a path is one of the page's.
func Serves(path string) bool { return path == Path || path == stylePath }

// Serve answers with the page or its style sheet. An error is a page that could not be made.
func (p *Page) Serve(w http.ResponseWriter, r *http.Request) error {
	made, err := p.made()
	if err != nil {
		return err
	}
	f, h := made[r.URL.Path], w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", f.tag)
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	content := f.content
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		content = f.packed
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the reader may be gone
	}
	return nil
}
