package web

import (
	"net/http"
	"net/url"
	"strings"

	"gantry/connectors"
)

// Passing is the exchange that a passage over HTTP asks for, as far as the caller says. What is the driver's comes on top of it,
// and wins: the login, and what the protocol needs.
func Passing(p connectors.Passage) Request {
	r := Request{
		Method: p.Method, URL: "." + p.Path, Header: p.Header.Clone(), Body: p.Body, Effect: p.Effect,
		Straight: true, MaxBody: connectors.MaxPassed,
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if len(p.Query) > 0 {
		r.URL += "?" + strings.ReplaceAll(p.Query.Encode(), "+", "%20") // not every server reads + as a space
	}
	return r
}

// Passed is the answer to a passage; login is what it was sent with that is secret.
func (r *Response) Passed(login ...string) connectors.Passed {
	return connectors.Passed{Status: r.Status, Header: r.Header, Body: r.Body, Login: login}
}

// SamePath compares two paths as a server might, that is no stickler: for letters' case, a last slash, parameters.
func SamePath(a, b string) bool {
	return strings.EqualFold(plainPath(a), plainPath(b))
}

func plainPath(path string) string {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, segment := range segments {
		if text, err := url.PathUnescape(segment); err == nil {
			segment = text
		}
		segments[i], _, _ = strings.Cut(segment, ";")
	}
	return strings.Join(segments, "/")
}
