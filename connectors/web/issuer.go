package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gantry/connectors"
)

// maxLifetime bounds what a token server says of its tokens.
const maxLifetime = 365 * 24 * time.Hour

// Issuer gets tokens with client credentials: RFC 6749, section 4.4; the client shows itself as section 2.3.1 prefers it.
type Issuer struct {
	client  *Client
	request Request
}

// NewIssuer takes the settings token_address, client_id, client_secret, scope and ca of a login. The tokens may come from another server
// than the system, dialled through the plant's policy like all others. Nothing is sent.
func NewIssuer(t connectors.Target, timeout time.Duration, logger *slog.Logger) (*Issuer, error) {
	setting := func(name string) string { s, _ := t.Settings[name].(string); return s }
	base, path := setting("token_address"), "."
	if i := strings.LastIndexByte(base, '/'); i > len("https://") {
		base, path = base[:i], "./"+base[i+1:]
	}
	client, err := New(Options{Address: base, CA: setting("ca"), Dial: t.Dial, Timeout: timeout, Logger: logger})
	if err != nil {
		return nil, connectors.Misuse("token_address: %w", err)
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if scope := setting("scope"); scope != "" {
		form.Set("scope", scope)
	}
	pair := url.QueryEscape(setting("client_id")) + ":" + url.QueryEscape(t.Credentials["client_secret"].Reveal())
	return &Issuer{client, Request{Method: http.MethodPost, URL: path, Body: []byte(form.Encode()), Header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"},
		"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(pair))},
	}}}, nil
}

// Token gets one. The Source of a refusal has the members http and code, the server's own.
func (i *Issuer) Token(ctx context.Context) (*Grant, error) {
	response, err := i.client.Do(ctx, i.request)
	if err != nil {
		return nil, err
	}
	return token(response)
}

// Close ends all calls.
func (i *Issuer) Close() { i.client.Close() }

// token reads the answer of section 5.1, or the fault of section 5.2.
func token(response *Response) (*Grant, error) {
	answer, err := Decode(response.Body)
	text := func(name string) string { s, _ := At(answer, name).(string); return s }
	if response.Status != http.StatusOK {
		f := response.Refusal()
		f.Source["code"] = Clip(text("error"))
		if words := text("error_description"); words != "" {
			f.Message = Clip(words)
		}
		return nil, f
	}
	value := text("access_token")
	if err != nil || value == "" || strings.ContainsAny(value, "\r\n") || !strings.EqualFold(text("token_type"), "bearer") {
		const words = "the token server's answer holds no bearer token"
		return nil, &connectors.Failure{Kind: connectors.Answered, Status: "answer", Message: words, Err: errors.New(words),
			Source: map[string]any{"http": int64(response.Status), "code": ""}}
	}
	g := &Grant{Header: "Authorization", Value: "Bearer " + value}
	return g.Lasting(expiresIn(At(answer, "expires_in"))), nil
}

// expiresIn reads seconds, as a number or, from servers that do so, a text.
func expiresIn(v any) time.Duration {
	if s, ok := v.(string); ok {
		v = json.Number(s)
	}
	n, ok := v.(json.Number)
	seconds, err := n.Int64()
	if !ok || err != nil || seconds < 0 || seconds > int64(maxLifetime/time.Second) {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
