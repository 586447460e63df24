package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/native"
	"gantry/connectors/template"
	"gantry/connectors/web"
)

// request is one request of a definition: everything in it that varies is a parameter.
type request struct {
	method  string
	path    []part
	query   map[string]template.Value
	headers map[string]template.Value
	body    template.Value // nil: none
	names   *template.Compiler
}

// part is a piece of a path: text and a parameter after it, which is escaped. joint is what joins the parameter to the one before it in the
// same segment.
type part struct{ text, param, joint string }

var methods = map[string]string{
	"get": http.MethodGet, "post": http.MethodPost, "put": http.MethodPut, "patch": http.MethodPatch, "delete": http.MethodDelete,
}

var (
	segmentParam = regexp.MustCompile(`^:[a-z][a-z0-9_]*(#:[a-z][a-z0-9_]*)*$`)
	segmentText  = regexp.MustCompile(`^[A-Za-z0-9_.~!$&'()*+,;=@-]+( [A-Za-z0-9_.~!$&'()*+,;=@-]+)*$`)
	headerName   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
)

// ownHeaders are those that a definition may not set: the driver's, or what would lead elsewhere.
var ownHeaders = []string{"Authorization", "Connection", "Content-Length", "Cookie", "Host", "Proxy-Authorization", "Transfer-Encoding", "User-Agent"}

// compileRequest takes a request's members; the rest is the caller's.
func compileRequest(m *native.Members, grammar template.Grammar) (*request, error) {
	r := &request{names: template.NewCompiler(grammar)}
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		if !m.Has(name) {
			continue
		}
		if r.method != "" {
			return nil, errors.New("a request has one of get, post, put, patch and delete")
		}
		r.method = methods[name]
		if err := r.compilePath(m.Text(name)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if r.method == "" {
		return nil, errors.New("a request has one of get, post, put, patch and delete, with its path")
	}
	var err error
	if r.query, err = r.compileMap(m, "query"); err != nil {
		return nil, err
	}
	if r.headers, err = r.compileMap(m, "headers"); err != nil {
		return nil, err
	}
	for name := range r.headers {
		if !headerName.MatchString(name) || slices.Contains(ownHeaders, http.CanonicalHeaderKey(name)) {
			return nil, fmt.Errorf("headers: %s cannot be set", name)
		}
	}
	body, there := m.Take("body")
	if !there {
		return r, nil
	}
	if r.method == http.MethodGet {
		return nil, errors.New("body: a get has none")
	}
	if r.body, err = r.names.Compile(body); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return r, nil
}

func (r *request) compilePath(path string) error {
	if !strings.HasPrefix(path, "/") || len(path) > 1000 {
		return errors.New("the path begins with /")
	}
	var text strings.Builder
	for segment := range strings.SplitSeq(path[1:], "/") {
		text.WriteByte('/')
		switch {
		case segmentParam.MatchString(segment):
			for i, param := range strings.Split(segment[1:], "#:") {
				p := part{text: text.String(), param: param}
				if i > 0 {
					p = part{param: param, joint: "#"}
				}
				r.path = append(r.path, p)
				if !slices.Contains(r.names.Names.Params, param) {
					r.names.Names.Params = append(r.names.Names.Params, param)
				}
			}
			text.Reset()
		case segment == "" && text.String() == "/" && len(path) == 1, segmentText.MatchString(segment) && strings.Trim(segment, ".") != "":
			text.WriteString(strings.ReplaceAll(segment, " ", "%20"))
		default:
			return fmt.Errorf("%q is no segment of a path: a name, :parameter, or :one#:other; what follows a ? stands in `query`", segment)
		}
	}
	r.path = append(r.path, part{text: text.String()})
	return nil
}

func (r *request) compileMap(m *native.Members, name string) (map[string]template.Value, error) {
	v, there := m.Take(name)
	if !there {
		return nil, nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: must be an object", name)
	}
	out := map[string]template.Value{}
	for key, item := range object {
		if _, nested := item.(map[string]any); nested {
			return nil, fmt.Errorf("%s: %s: must be a text, a number or a parameter", name, key)
		}
		value, err := r.names.Compile(item)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, key, err)
		}
		out[key] = value
	}
	return out, nil
}

// render gives the exchange; query is added to the request's own.
func (r *request) render(with *template.Rendering, query url.Values) (web.Request, error) {
	out := web.Request{Method: r.method, Effect: r.method != http.MethodGet, Header: http.Header{}}
	path, err := r.renderPath(with.Vars)
	if err != nil {
		return out, err
	}
	all, err := r.renderQuery(with)
	if err != nil {
		return out, err
	}
	maps.Copy(all, query)
	if out.URL = path; len(all) > 0 {
		out.URL += "?" + all.Encode()
	}
	if err := r.renderHeaders(with, out.Header); err != nil {
		return out, err
	}
	if r.body == nil {
		return out, nil
	}
	body, err := r.body.Render(with)
	if err != nil {
		return out, err
	}
	if out.Body, err = json.Marshal(body); err != nil {
		return out, connectors.Misuse("a value cannot be sent: %w", err)
	}
	out.Header.Set("Content-Type", "application/json")
	return out, nil
}

// renderPath gives the path relative to the connection's address.
func (r *request) renderPath(vars connectors.Vars) (string, error) {
	var b strings.Builder
	for _, p := range r.path {
		b.WriteString(p.text)
		if p.param == "" {
			continue
		}
		value, known := vars[p.param]
		s := scalar(value)
		if !known || s == "" || strings.Trim(s, ".") == "" || p.joint != "" && strings.Contains(s, p.joint) { // the last joint is the one that counts
			return "", connectors.Misuse("the parameter :%s is no segment of a path", p.param)
		}
		b.WriteString(url.PathEscape(p.joint + s))
	}
	return "." + b.String(), nil // under the address, which may have a path
}

func (r *request) renderQuery(with *template.Rendering) (url.Values, error) {
	out := url.Values{}
	for name, t := range r.query {
		v, err := t.Render(with)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case nil:
		case []any:
			for _, item := range v {
				out.Add(name, scalar(item))
			}
		default:
			out.Set(name, scalar(v))
		}
	}
	return out, nil
}

func (r *request) renderHeaders(with *template.Rendering, into http.Header) error {
	for name, t := range r.headers {
		v, err := t.Render(with)
		if err != nil {
			return err
		}
		if s := scalar(v); s != "" {
			into.Set(name, s)
		}
	}
	return nil
}

// scalar is a value as a path, a query or a header has it.
func scalar(v any) string {
	switch v := v.(type) {
	case nil, map[string]any, []any:
		return ""
	case string:
		return v
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}
