package dashboard

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAssets asks for a file as a browser does, as one that does not unpack, and by the address of another release.
func TestAssets(t *testing.T) {
	a, err := newAssets()
	if err != nil {
		t.Fatal(err)
	}
	m := http.NewServeMux()
	m.HandleFunc("GET /static/{version}/{file}", a.serve)
	get := func(path, encoding string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		return w.Result()
	}
	plain, err := static.ReadFile("static/morph.mjs")
	if err != nil {
		t.Fatal(err)
	}
	packed := get(a.path("morph.mjs"), "br, gzip")
	unpacked, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		answer *http.Response
		body   io.Reader
		kept   bool
	}{
		"packed":             {packed, unpacked, true},
		"plain":              {get(a.path("morph.mjs"), ""), nil, true},
		"of another release": {get("/static/0/morph.mjs", ""), nil, false},
	} {
		if test.body == nil {
			test.body = test.answer.Body
		}
		body, err := io.ReadAll(test.body)
		if err != nil || !bytes.Equal(body, plain) {
			t.Errorf("%s: another text (%v)", name, err)
		}
		if kept := strings.Contains(test.answer.Header.Get("Cache-Control"), "immutable"); kept != test.kept {
			t.Errorf("%s: a browser keeps it: %t", name, kept)
		}
		if kind := test.answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/javascript") {
			t.Errorf("%s: it is %s", name, kind)
		}
	}
	if answer := get(a.path("../dashboard.go"), ""); answer.StatusCode == http.StatusOK {
		t.Error("it serves what is no asset")
	}
}
