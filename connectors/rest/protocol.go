package rest

import (
	"fmt"
	"time"

	"gantry/connectors/native"
	"gantry/connectors/template"
)

// protocol is what a product's statements have in common.
type protocol struct {
	login  login
	prove  *request // nil: a page without records is believed
	errors faults
	times  times
	ways   ways // where a query has none of its own

	emptyIsNull bool
}

// faults say where an answer tells what went wrong.
type faults struct {
	when    string // path: an answer that has this is a fault, whatever its status
	code    string
	message string
	fields  string // path: {name: {code, message}}, {name: message}, or a list of {field, code, message}
	field   string // of a list's members: the name's path
}

// times are the layouts of times, as package time's.
type times struct{ instant, datetime string }

// ways are how a query is filtered, ordered and paged.
type ways struct {
	where *where
	sort  *sorting
	pages *paging
}

// Params implements connectors.Statement: those of the requests in it, for which the login's settings are all there is.
func (p *protocol) Params() []string {
	var out []string
	for _, r := range []*request{p.prove, p.login.request} {
		if r != nil {
			out = append(out, r.names.Names.Params...)
		}
	}
	return out
}

func compileProtocol(v any) (*protocol, error) {
	m := native.Object("protocol", v)
	p := &protocol{emptyIsNull: m.Flag("empty_is_null")}
	var err error
	if own, there := m.Take("login"); there {
		if p.login, err = compileLogin(own); err != nil {
			return nil, err
		}
	}
	if own, there := m.Take("prove"); there {
		inner := native.Object("prove", own)
		if p.prove, err = compileRequest(inner, grammar); err != nil {
			return nil, fmt.Errorf("prove: %w", err)
		}
		if err := inner.Done(); err != nil {
			return nil, err
		}
	}
	if own, there := m.Take("errors"); there {
		inner := native.Object("errors", own)
		p.errors = faults{inner.Text("when"), inner.Text("code"), inner.Text("message"), inner.Text("fields"), inner.Text("field")}
		if err := inner.Done(); err != nil {
			return nil, err
		}
	}
	if p.times, err = compileTimes(m); err != nil {
		return nil, err
	}
	if p.ways, err = compileWays(m); err != nil {
		return nil, err
	}
	return p, m.Done()
}

func compileTimes(m *native.Members) (times, error) {
	t := times{instant: time.RFC3339Nano, datetime: "2006-01-02T15:04:05.999999999"}
	own, there := m.Take("times")
	if !there {
		return t, nil
	}
	inner := native.Object("times", own)
	for name, into := range map[string]*string{"instant": &t.instant, "datetime": &t.datetime} {
		layout := inner.Text(name)
		if layout == "" {
			continue
		}
		sample := time.Date(2026, 3, 29, 13, 59, 7, 0, time.UTC)
		if at, err := time.Parse(layout, sample.Format(layout)); err != nil || !at.Equal(sample) {
			return t, fmt.Errorf("times: %s: %q does not keep a time to the second; it is a layout of Go's package time", name, layout)
		}
		*into = layout
	}
	return t, inner.Done()
}

func compileWays(m *native.Members) (ways, error) {
	var w ways
	var err error
	if own, there := m.Take("where"); there {
		if w.where, err = compileWhere(own); err != nil {
			return w, err
		}
	}
	if own, there := m.Take("sort"); there {
		inner := native.Object("sort", own)
		w.sort = &sorting{inner.Text("parameter"), inner.Text("separator"), inner.Text("prefix"), inner.Text("suffix")}
		if w.sort.parameter == "" {
			inner.Fault("parameter is missing")
		}
		if w.sort.separator == "" {
			w.sort.separator = ","
		}
		if err := inner.Done(); err != nil {
			return w, err
		}
	}
	if own, there := m.Take("pages"); there {
		if w.pages, err = compilePaging(own); err != nil {
			return w, err
		}
	}
	return w, nil
}

// over gives a query's own ways where it has them, else the protocol's.
func (w ways) over(below ways) ways {
	if w.where == nil {
		w.where = below.where
	}
	if w.sort == nil {
		w.sort = below.sort
	}
	if w.pages == nil {
		w.pages = below.pages
	}
	if w.pages != nil && w.pages.by == byNone {
		w.pages = nil
	}
	return w
}

// sorting is how a query says its order: the columns' names, ascending.
type sorting struct{ parameter, separator, prefix, suffix string }

// grammar is what templates have beyond parameters and lists.
var grammar = template.Grammar{Kinds: kinds}

// loginGrammar also takes a credential.
var loginGrammar = template.Grammar{Kinds: kinds, Forms: template.Secrets}
