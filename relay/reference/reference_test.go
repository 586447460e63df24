package reference

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"gantry/docs"
)

// get asks the page for a path.
func get(t *testing.T, path string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header = header
	w := httptest.NewRecorder()
	if err := New(docs.OpenAPI).Serve(w, r); err != nil {
		t.Fatal(err)
	}
	return w.Result()
}

func TestThePageShowsTheWholeDocument(t *testing.T) {
	answer := get(t, Path, http.Header{})
	root, err := html.Parse(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	ids, targets := map[string]bool{}, map[string]bool{}
	for node := range root.Descendants() {
		for _, a := range node.Attr {
			switch {
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("the anchor %q stands twice", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
				targets[a.Val[1:]] = true
			case a.Key == "style" || strings.HasPrefix(a.Key, "on") || node.Data == "script":
				t.Errorf("<%s> has %s, which the page's policy forbids", node.Data, a.Key)
			case (a.Key == "href" || a.Key == "src") && strings.Contains(a.Val, "//"):
				t.Errorf("<%s> leads to another host: %s", node.Data, a.Val)
			}
		}
	}
	for target := range targets {
		if !ids[target] {
			t.Errorf("a link leads to #%s, which is not there", target)
		}
	}
	d, err := read(docs.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	for path, methods := range d.Paths {
		for _, o := range methods {
			if !ids[o.ID] {
				t.Errorf("%s %s (%s) is not shown", o.Method, path, o.ID)
			}
		}
	}
	for _, code := range d.ErrorCodes {
		if !ids["error-"+strings.ToLower(code.Code)] {
			t.Errorf("%s is not shown", code.Code)
		}
	}
}

func TestThePageIsServedSafeAndSmall(t *testing.T) {
	plain := get(t, Path, http.Header{})
	whole, _ := io.ReadAll(plain.Body)
	packed := get(t, Path, http.Header{"Accept-Encoding": {"br, gzip"}})
	unpacked, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	same, err := io.ReadAll(unpacked)
	if err != nil || string(same) != string(whole) {
		t.Errorf("packed it is another page: %v", err)
	}
	t.Logf("%d KiB, packed %s bytes", len(whole)>>10, packed.Header.Get("Content-Length"))
	if policy := plain.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	again := get(t, Path, http.Header{"If-None-Match": {plain.Header.Get("ETag")}})
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("the same page again: %d", again.StatusCode)
	}
	if style := get(t, stylePath, http.Header{}); style.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("the style sheet is %q", style.Header.Get("Content-Type"))
	}
	if folder := os.Getenv("GANTRY_PAGE"); folder != "" { // to look at it
		if err := os.WriteFile(folder, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
