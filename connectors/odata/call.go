package odata

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/web"
)

const (
	csrfHeader = "X-Csrf-Token"
	media      = "application/json"
	mediaV4    = "application/json;odata.metadata=minimal;IEEE754Compatible=true" // decimals are texts, so that none passes through a float
)

// reply is what a request came to.
type reply struct {
	none   bool // the service said: there is none
	header http.Header
	body   []byte
	from   string // the address that it came from
	sum    [sha256.Size]byte
	login  *pass
}

// request prepares one; path is relative to the connection's address.
func (c *conn) request(method, path string, query []string) (web.Request, error) {
	r := web.Request{Method: method, URL: path, Effect: method != http.MethodGet, Header: http.Header{}}
	for name, t := range c.protocol.query {
		v, err := t.Render(c.rendering(c.vars))
		if err != nil {
			return r, err
		}
		if s := scalar(v); s != "" {
			query = append(query, name+"="+escape(s))
		}
	}
	if slices.Sort(query); len(query) > 0 {
		r.URL += "?" + strings.Join(query, "&")
	}
	return r, nil
}

// escape writes a value of a query. A space is %20: not every server reads + as one.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// call makes an exchange with the login. Where the server says that the login is over, or that it wants its token against forged
// requests, it did nothing yet: either is renewed once.
func (c *conn) call(ctx context.Context, r web.Request, none []int) (*reply, error) {
	for renewed, again := false, false; ; {
		p, err := c.pass(ctx)
		if err != nil {
			return nil, err
		}
		t, err := c.guard(ctx, p, &r)
		if err != nil && !renewed && c.mayRenew(p, err) {
			renewed = true
			continue
		}
		if err != nil {
			return nil, c.refusedFor(p, err)
		}
		response, err := c.send(ctx, p, r)
		switch {
		case err != nil:
			return nil, err
		case slices.Contains(none, response.Status):
			return &reply{none: true, header: response.Header, login: p, from: r.URL}, nil
		case response.Status < http.StatusMultipleChoices:
			return &reply{header: response.Header, body: response.Body, from: r.URL, sum: sha256.Sum256(response.Body), login: p}, nil
		}
		if err = c.refusal(response); r.Effect {
			err = ofAnEffect(err)
		}
		switch {
		case !again && r.Effect && wantsToken(response):
			c.guarded.Store(true)
			p.forgery.Expired(t)
			again = true
		case !renewed && c.mayRenew(p, err):
			renewed = true
		default:
			return nil, c.refusedFor(p, err)
		}
	}
}

// guard puts the token against forged requests into a request that has an effect, where the server is known to ask for it.
func (c *conn) guard(ctx context.Context, p *pass, r *web.Request) (*token, error) {
	if !r.Effect || !c.guarded.Load() {
		return nil, nil
	}
	t, err := p.forgery.Get(ctx)
	if err != nil {
		return nil, err
	}
	r.Header.Set(csrfHeader, t.value)
	return t, nil
}

func wantsToken(r *web.Response) bool {
	return r.Status == http.StatusForbidden && strings.EqualFold(r.Header.Get(csrfHeader), "required")
}

// fetchToken asks for the token; the cookie that it belongs to comes with it.
func (c *conn) fetchToken(ctx context.Context, p *pass) (*token, error) {
	service, err := c.serviceOf(c.check, c.vars)
	if err != nil {
		return nil, err
	}
	r, err := c.request(http.MethodGet, service, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set(csrfHeader, "Fetch")
	response, err := c.send(ctx, p, r)
	if err != nil {
		return nil, err
	}
	value := response.Header.Get(csrfHeader)
	switch {
	case response.Status >= http.StatusMultipleChoices:
		return nil, c.refusal(response)
	case value == "" || len(value) > maxToken || strings.EqualFold(value, "required"):
		f := strange("the service asks for a token against forged requests, and gives none")
		f.Status, f.Source["code"] = codeCSRF, codeCSRF
		return nil, f
	}
	return &token{value}, nil
}

func (c *conn) send(ctx context.Context, p *pass, r web.Request) (*web.Response, error) {
	r.Header = r.Header.Clone()
	defaults := map[string]string{"Accept": media, "DataServiceVersion": "2.0", "MaxDataServiceVersion": "2.0"}
	if c.w.dialect == v4 {
		defaults = map[string]string{"Accept": mediaV4, "OData-Version": "4.0", "OData-MaxVersion": "4.0"}
	}
	for name, value := range defaults {
		if r.Header.Get(name) == "" {
			r.Header.Set(name, value)
		}
	}
	p.apply(r.Header)
	response, err := c.web.Do(ctx, r)
	if err == nil {
		p.keep(response)
	}
	return response, err
}

// value reads an answer in JSON; an answer without a body is null. An error under a good status is an error.
func (c *conn) value(answer *reply) (any, error) {
	if len(answer.body) == 0 {
		return nil, nil
	}
	v, err := web.Decode(answer.body)
	if err != nil {
		f := strange("the answer cannot be read: " + err.Error())
		f.Err = err
		return nil, f
	}
	if object, ok := v.(map[string]any); ok && object["error"] != nil {
		return nil, c.refusal(&web.Response{Status: http.StatusOK, Header: answer.header, Body: answer.body})
	}
	return v, nil
}

// unknown is an answer after which nobody can say what was done.
func unknown(message string) *connectors.Failure {
	f := strange(message)
	f.Kind, f.Sent = connectors.Lost, true
	return f
}

// ofAnEffect says what a refusal means for a request that changes something. A service that names its own error (a duplicate key may be a
// 500) did not do what it was asked; a server that broke down does not tell, and one that leads to another page has often done it.
func ofAnEffect(err error) error {
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok {
		return err
	}
	status, _ := f.Source["http"].(int64)
	broke := status >= http.StatusInternalServerError && status != http.StatusNotImplemented && status != http.StatusServiceUnavailable
	leads := status == http.StatusFound || status == http.StatusSeeOther
	if f.Kind == connectors.Answered && (broke && f.Source["code"] == "" || leads || f.Status == statusStrange) {
		f.Kind, f.Sent = connectors.Lost, true
	}
	return f
}
