package api

import (
	"net/http"
	"path"
	"strings"

	"gantry/tunnel/fault"
)

// answer is a handler that gives its failure back; serve turns it into a problem and a log line.
type answer func(w http.ResponseWriter, r *http.Request) error

// mux is http.ServeMux whose own answers (404, 405, a redirect to the cleaned path) are errors of the contract.
type mux struct{ patterns *http.ServeMux }

// find gives the handler of a request, or the problem that there is none.
func (m *mux) find(r *http.Request) (http.Handler, error) {
	if address := r.URL.EscapedPath(); !clean(address) {
		return nil, fault.New(fault.NotFound, "There is nothing at this path.").Advise("Write the path without empty, `.` and `..` parts; escape a record's id.")
	}
	handler, pattern := m.patterns.Handler(r)
	if pattern != "" {
		return m.patterns, nil
	}
	var own refusal
	handler.ServeHTTP(&own, r)
	if own.status == http.StatusMethodNotAllowed {
		allow := strings.Split(own.Header().Get("Allow"), ", ")
		return nil, fault.New(fault.MethodNotAllowed, "The path has no method %s.", method(r)).Permits(allow...)
	}
	return nil, fault.New(fault.NotFound, "There is nothing at this path.").Advise("The paths of the API are those of its documentation, all of them under /api/v1; check the spelling.")
}

// clean reports whether ServeMux would take the path as it is, without a redirect.
func clean(p string) bool { return p == "/" || p == path.Clean(p) && strings.HasPrefix(p, "/") }

// method bounds what is told of a foreign method.
func method(r *http.Request) string {
	if len(r.Method) > 16 {
		return r.Method[:16] + "…"
	}
	return r.Method
}

// refusal catches what ServeMux itself would have written: plain text, which nobody gets to see.
type refusal struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (f *refusal) Header() http.Header {
	if f.header == nil {
		f.header = http.Header{}
	}
	return f.header
}

// Write implements http.ResponseWriter.
func (f *refusal) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (f *refusal) WriteHeader(status int) { f.status = status }
