package passage

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// Bounds of a request beside its path and its body.
const (
	maxQuery  = 6000 // bytes, as it is sent
	maxHeader = 1000 // bytes of one
	maxCall   = 200  // bytes
)

var (
	methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, "MERGE", http.MethodDelete}

	// requestHeaders are those that may pass: none of them can stand for a login, a host or another method.
	requestHeaders = []string{
		"Accept", "Accept-Language", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "Prefer",
	}

	// otherMethods are parameters by which some frameworks take a request for one of another method.
	otherMethods = []string{"_method", "x-http-method", "x-http-method-override"}

	callName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*([./:][A-Za-z_][A-Za-z0-9_-]*)*$`) // as definitions write methods
)

// Read gives the request that a document of package wire holds, without the word whether it may change something, which is the
// plant's. The error is a *fault.Error INVALID_REQUEST.
func Read(document []byte) (connectors.Passage, error) {
	var d wire.Passthrough
	if err := json.Unmarshal(document, &d); err != nil {
		return connectors.Passage{}, invalid("body", errors.New("no such document"))
	}
	if d.Call != "" {
		return readCall(d)
	}
	return readHTTP(d)
}

func invalid(member string, why error) error {
	return fault.New(fault.InvalidRequest, "This is no request that can be passed to a system.").Member(member, "INVALID", "%s", why).Ended(fault.NotSent)
}

func readCall(d wire.Passthrough) (connectors.Passage, error) {
	p := connectors.Passage{Form: connectors.ByMethod, Call: d.Call, Params: d.Params, Named: d.Named}
	switch {
	case d.Method != "" || d.Path != "" || d.Query != nil || d.Headers != nil || d.Body != nil || d.Encoding != "":
		return p, invalid("call", errors.New("a call has `params` and `named` beside it, and nothing else"))
	case len(d.Call) > maxCall || !callName.MatchString(d.Call):
		return p, invalid("call", errors.New("is no name of a method"))
	}
	return p, nil
}

func readHTTP(d wire.Passthrough) (connectors.Passage, error) {
	p := connectors.Passage{Form: connectors.OverHTTP, Method: d.Method}
	if d.Params != nil || d.Named != nil {
		return p, invalid("params", errors.New("only a `call` has them"))
	}
	if !slices.Contains(methods, d.Method) {
		return p, invalid("method", fmt.Errorf("must be one of %s", strings.Join(methods, ", ")))
	}
	var err error
	if p.Path, err = Path(d.Path); err != nil {
		return p, invalid("path", err)
	}
	if p.Query, err = readQuery(d.Query); err != nil {
		return p, invalid("query", err)
	}
	if p.Header, err = readHeaders(d.Headers); err != nil {
		return p, invalid("headers", err)
	}
	if p.Body, err = readBody(d, p.Header); err != nil {
		return p, invalid("body", err)
	}
	return p, nil
}

func readQuery(members map[string]json.RawMessage) (url.Values, error) {
	out := url.Values{}
	for name, raw := range members {
		if slices.Contains(otherMethods, strings.ToLower(name)) {
			return nil, fmt.Errorf("%s could make it a request of another method", name)
		}
		list := []json.RawMessage{raw}
		if raw[0] == '[' {
			if err := json.Unmarshal(raw, &list); err != nil {
				return nil, err
			}
		}
		for _, one := range list {
			text, err := scalar(one)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out.Add(name, text)
		}
	}
	if len(out.Encode()) > maxQuery {
		return nil, fmt.Errorf("is longer than %d bytes", maxQuery)
	}
	return out, nil
}

// scalar is a value as a query has it; a number as it was written.
func scalar(raw json.RawMessage) (string, error) {
	switch raw[0] {
	case '"':
		var s string
		return s, json.Unmarshal(raw, &s)
	case '{', '[', 'n':
		return "", errors.New("must be a text, a number, true, false, or a list of these")
	}
	return string(raw), nil
}

func readHeaders(members map[string]string) (http.Header, error) {
	out := http.Header{}
	for name, value := range members {
		if !slices.Contains(requestHeaders, http.CanonicalHeaderKey(name)) {
			return nil, fmt.Errorf("%q does not pass; these do: %s", name, strings.Join(requestHeaders, ", "))
		}
		if out.Get(name) != "" {
			return nil, fmt.Errorf("%q stands there twice", name)
		}
		if len(value) > maxHeader || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, fmt.Errorf("%s must be printable ASCII, of at most %d bytes", name, maxHeader)
		}
		out.Set(name, value)
	}
	return out, nil
}

// readBody gives the bytes that are sent, and their type where the caller names none.
func readBody(d wire.Passthrough, header http.Header) ([]byte, error) {
	if len(d.Body) == 0 || string(d.Body) == "null" {
		return nil, nil
	}
	if d.Method == http.MethodGet || d.Method == http.MethodHead {
		return nil, fmt.Errorf("a %s has none", d.Method)
	}
	usual, body := "application/json", []byte(d.Body)
	if d.Encoding != "" && d.Encoding != "json" {
		var text string
		if err := json.Unmarshal(d.Body, &text); err != nil {
			return nil, errors.New("must be a text, as `encoding` says")
		}
		usual, body = "text/plain; charset=utf-8", []byte(text)
		switch d.Encoding {
		case "text":
		case "base64":
			var err error
			if body, err = base64.StdEncoding.DecodeString(text); err != nil {
				return nil, errors.New("is no base64, which `encoding` says that it is")
			}
			usual = "application/octet-stream"
		default:
			return nil, errors.New("`encoding` must be json, text or base64")
		}
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", usual)
	}
	return body, nil
}
