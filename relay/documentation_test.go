package relay_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"gantry/docs"
)

func TestTheDocumentIsServedToAnybody(t *testing.T) {
	c := startCloud(t, nil)
	answer, err := http.Get(c.url + "/api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/json" || !bytes.Equal(got, docs.OpenAPI) {
		t.Errorf("%d %s, %d bytes of %d", answer.StatusCode, answer.Header.Get("Content-Type"), len(got), len(docs.OpenAPI))
	}
}

func TestThePageIsServedToAnybody(t *testing.T) {
	c := startCloud(t, nil)
	for _, path := range []string{"/docs", "/docs/style.css"} {
		answer, err := http.Get(c.url + path)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %v", path, answer.StatusCode, answer.Header)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := http.Post(c.url+"/docs", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /docs: %d, Allow %q", answer.StatusCode, answer.Header.Get("Allow"))
	}
}
