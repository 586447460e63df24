package catalogue_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// vendor is a server that gives its answers in their order, and keeps the requests.
type vendor struct {
	documents map[string]string // by path

	mu       sync.Mutex
	answers  []string
	requests []string
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if document, there := v.documents[r.URL.Path]; there {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = io.WriteString(w, document)
		return
	}
	v.requests = append(v.requests, requestText(r))
	if len(v.requests) > len(v.answers) {
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	answer := strings.ReplaceAll(v.answers[len(v.requests)-1], "{server}", "http://"+r.Host)
	head, body, _ := strings.Cut(answer, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	w.Header().Set("Content-Type", "application/json")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		w.Header().Add(name, value)
	}
	status, err := strconv.Atoi(lines[0])
	if err != nil {
		status = http.StatusNotImplemented
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, strings.TrimSpace(body))
}

// usual are headers that say nothing of a definition.
var usual = []string{"Accept-Encoding", "Content-Length", "User-Agent", "Accept"}

func requestText(r *http.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL.EscapedPath())
	query := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range query[name] {
			fmt.Fprintf(&b, "? %s=%s\n", name, value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if !slices.Contains(usual, textproto.CanonicalMIMEHeaderKey(name)) {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(r.Header[name], ", "))
		}
	}
	if body, err := io.ReadAll(r.Body); err == nil && len(body) > 0 {
		b.WriteString("\n" + indented(body))
	}
	return b.String()
}
