package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed static
var static embed.FS

// assets are the style and the scripts. The address of each holds a sum over all of them: a browser keeps what it has, asks
// for nothing twice, and gets a new release whole.
type assets struct {
	version string
	files   map[string]asset
}

type asset struct {
	kind          string
	plain, packed []byte
}

func newAssets() (*assets, error) {
	files, err := static.ReadDir("static")
	if err != nil {
		return nil, err
	}
	a, sum := &assets{files: map[string]asset{}}, sha256.New()
	for _, f := range files {
		content, err := static.ReadFile("static/" + f.Name())
		if err != nil {
			return nil, err
		}
		_, _ = sum.Write(append([]byte(f.Name()+"\n"), content...)) // a sum fails never
		kind := mime.TypeByExtension(path.Ext(f.Name()))
		if path.Ext(f.Name()) == ".mjs" { // not every machine knows it
			kind = "text/javascript; charset=utf-8"
		}
		a.files[f.Name()] = asset{kind, content, pack(content)}
	}
	a.version = hex.EncodeToString(sum.Sum(nil)[:6])
	return a, nil
}

// path is the address of a file.
func (a *assets) path(name string) string { return "/static/" + a.version + "/" + name }

// serve answers with a file. An address of another release, which a page that is still open has, gives today's, for now.
func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	f, there := a.files[r.PathValue("file")]
	if !there {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	if r.PathValue("version") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Vary", "Accept-Encoding")
	content := f.plain
	if unpacks(r) {
		h.Set("Content-Encoding", "gzip")
		content = f.packed
	}
	_, _ = w.Write(content) // the browser may be gone
}

// unpacks tells whether a browser takes gzip.
func unpacks(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}

// packers are at hand because making one costs more than what it packs.
var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one
	return w
}}

// pack makes a text small.
func pack(content []byte) []byte {
	var packed bytes.Buffer
	packTo(&packed, content)
	return packed.Bytes()
}

// packTo packs what is written to where nothing can be done about a failure.
func packTo(w io.Writer, content []byte) {
	p := packers.Get().(*gzip.Writer)
	defer packers.Put(p)
	p.Reset(w)
	_, _ = p.Write(content)
	_ = p.Close()
}
