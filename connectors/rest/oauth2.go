package rest

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"gantry/connectors"
	"gantry/connectors/web"
)

// oauth2 logs in with client credentials: RFC 6749, section 4.4; the client shows itself as section 2.3.1 prefers it. The tokens may
// come from another server than the system's: the setting token_address, dialled through the plant's policy like all others.
func (c *conn) oauth2(t connectors.Target) (func(context.Context) (*grant, error), error) {
	base, path := setting(t, "token_address"), "."
	if i := strings.LastIndexByte(base, '/'); i > len("https://") {
		base, path = base[:i], "./"+base[i+1:]
	}
	issuer, err := web.New(web.Options{Address: base, CA: setting(t, "ca"), Dial: t.Dial, Timeout: c.limits.Timeout, Logger: c.logger})
	if err != nil {
		return nil, connectors.Misuse("token_address: %w", err)
	}
	c.issuer = issuer
	form := url.Values{"grant_type": {"client_credentials"}}
	if scope := setting(t, "scope"); scope != "" {
		form.Set("scope", scope)
	}
	pair := url.QueryEscape(setting(t, "client_id")) + ":" + url.QueryEscape(t.Credentials["client_secret"].Reveal())
	request := web.Request{Method: http.MethodPost, URL: path, Body: []byte(form.Encode()), Header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"},
		"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(pair))},
	}}
	return func(ctx context.Context) (*grant, error) {
		response, err := issuer.Do(ctx, request)
		if err != nil {
			return nil, err
		}
		return token(response)
	}, nil
}

// token reads the answer of section 5.1, or the fault of section 5.2.
func token(response *web.Response) (*grant, error) {
	answer, err := web.Decode(response.Body)
	if response.Status != http.StatusOK {
		f := response.Refusal()
		f.Source["code"] = scalar(web.At(answer, "error"))
		if words := scalar(web.At(answer, "error_description")); words != "" {
			f.Message = web.Clip(words)
		}
		return nil, f
	}
	value, _ := web.At(answer, "access_token").(string)
	kind, _ := web.At(answer, "token_type").(string)
	if err != nil || value == "" || strings.ContainsAny(value, "\r\n") || !strings.EqualFold(kind, "bearer") {
		return nil, strange("the token server's answer holds no bearer token")
	}
	g := &grant{header: "Authorization", value: "Bearer " + value}
	return g.lasting(lifetime("expires_in", answer, "")), nil
}
