package odata

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gantry/connectors/native"
	"gantry/connectors/template"
)

// protocol is what a product's statements have in common.
type protocol struct {
	service root
	query   map[string]template.Value
	pages   paging
	json    bool // batches in JSON, not multipart
	login   login
	names   *template.Compiler
}

// Params implements connectors.Statement: for them the login's settings are all there is.
func (p *protocol) Params() []string { return p.names.Names.Params }

func compileProtocol(dialect string, v any) (*protocol, error) {
	m := native.Object("protocol", v)
	p := &protocol{names: template.NewCompiler(template.Grammar{Forms: template.Secrets})}
	var err error
	if p.service, err = compileRoot(m.Text("service"), p.names); err != nil {
		return nil, fmt.Errorf("service: %w", err)
	}
	if p.query, err = compileParameters(m, p.names); err != nil {
		return nil, err
	}
	if p.pages, err = compilePaging(m); err != nil {
		return nil, err
	}
	p.json = m.OneOf("batch", "multipart", "json") == "json"
	if p.json && dialect != v4 {
		m.Fault("batch: version 2 has no batches in JSON")
	}
	if own, there := m.Take("login"); there {
		if p.login, err = compileLogin(own, p.names); err != nil {
			return nil, err
		}
	}
	return p, m.Done()
}

// compileParameters reads `query`: parameters of a request that are no options of OData's, whose names begin with $. Those are the driver's.
func compileParameters(m *native.Members, names *template.Compiler) (map[string]template.Value, error) {
	own, there := m.Take("query")
	if !there {
		return nil, nil
	}
	inner := native.Object("query", own)
	out := map[string]template.Value{}
	for _, name := range inner.Names() {
		v, _ := inner.Take(name)
		switch v.(type) {
		case map[string]any, []any:
			return nil, fmt.Errorf("query: %s: must be a text, a number or a parameter", name)
		}
		if strings.HasPrefix(name, "$") {
			return nil, fmt.Errorf("query: %s: options of OData are the driver's; a condition that always holds is `only` or `filter`", name)
		}
		value, err := names.Compile(v)
		if err != nil {
			return nil, fmt.Errorf("query: %s: %w", name, err)
		}
		out[name] = value
	}
	return out, inner.Done()
}

// The ways to go through a list.
const (
	byKeyset = "keyset" // after the last record, by $filter and $orderby
	byServer = "server" // by the service's own pages alone
	bySkip   = "skip"   // by the number of the record
)

// paging is how a query goes through a list.
type paging struct {
	by   string // "": not said
	most int    // the largest $top; 0: as large as is asked for
}

func compilePaging(m *native.Members) (paging, error) {
	own, there := m.Take("pages")
	if !there {
		return paging{}, nil
	}
	inner := native.Object("pages", own)
	p := paging{by: inner.OneOf("by", byKeyset, byServer, bySkip), most: inner.Number("most")}
	if p.by == "" {
		inner.Fault("by is missing: keyset, server or skip")
	}
	return p, inner.Done()
}

// over gives a query's own way where it has one, else the protocol's.
func (p paging) over(below paging) paging {
	if p.by == "" {
		p = below
	}
	if p.by == "" {
		p.by = byKeyset
	}
	return p
}

// root is the path of a service.
type root []step

// step is a piece of a path: a name, or a parameter.
type step struct{ name, param string }

func compileRoot(path string, names *template.Compiler) (root, error) {
	var out root
	if path = strings.Trim(path, "/"); path == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case parameterName.MatchString(part):
			out = append(out, step{param: part[1:]})
			need(names, part[1:])
		case rootName.MatchString(part) && strings.Trim(part, ".") != "":
			out = append(out, step{name: part})
		default:
			return nil, fmt.Errorf("%q is no segment of a path: a name, or :parameter", part)
		}
	}
	return out, nil
}

// need notes a parameter that stands outside of a template.
func need(names *template.Compiler, param string) {
	if !slices.Contains(names.Names.Params, param) {
		names.Names.Params = append(names.Names.Params, param)
	}
}

// The ways to log in.
const (
	loginNone    = "none"
	loginBasic   = "basic"
	loginBearer  = "bearer"
	loginOAuth2  = "oauth2"
	loginNTLM    = "ntlm"
	loginSession = "session"
)

var logins = []string{loginNone, loginBasic, loginBearer, loginOAuth2, loginNTLM, loginSession}

// login is how a product's requests show who sends them.
type login struct {
	by   string // "": the setting `login` says it
	path root   // of a session's request
	body template.Value
}

func compileLogin(v any, names *template.Compiler) (login, error) {
	m := native.Object("login", v)
	l := login{by: m.OneOf("by", logins...)}
	if l.by != loginSession {
		return l, m.Done()
	}
	var err error
	if l.path, err = compileRoot(m.Text("post"), names); err != nil || len(l.path) == 0 {
		return l, errors.Join(errors.New("login: post: a session has the path of its request"), err)
	}
	body, _ := m.Take("body")
	if l.body, err = names.Compile(body); err != nil {
		return l, fmt.Errorf("login: body: %w", err)
	}
	return l, m.Done()
}
