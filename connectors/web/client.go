package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"gantry/connectors"
)

// Bounds of one exchange.
const (
	defaultTimeout = 30 * time.Second
	defaultBody    = 16 << 20
	maxHeader      = 64 << 10
	maxRedirects   = 5
	idleFor        = 50 * time.Second // shorter than most servers': a connection is not used while it is being closed
)

// Options say how to reach one system.
type Options struct {
	Address     string              // "https://erp.plant.local:8443/path/": the origin, and what links are relative to
	CA          string              // PEM of further certificate authorities; "": those of the machine
	Dial        connectors.DialFunc // every connection goes through it
	Timeout     time.Duration       // one exchange, its body included; 0: 30 s
	MaxBody     int64               // bytes of an answer, unpacked; 0: 16 MiB
	Connections int                 // at once; 0: no bound but the driver's
	NTLM        bool                // the basic login of a request is made with NTLM instead, one exchange at a time
	Logger      *slog.Logger        // nil: discards
}

// Client speaks HTTP/1.1 to one origin. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	http    *http.Client
	timeout time.Duration
	maxBody int64
	logger  *slog.Logger
	life    context.Context
	end     context.CancelCauseFunc
}

// Request is one exchange.
type Request struct {
	Method   string // "": GET
	URL      string // relative to the address; a link of the system's goes through Resolve first
	Header   http.Header
	Body     []byte
	Patience time.Duration // 0: the client's Timeout
	Effect   bool          // it may change something: no redirect is followed, and a cut leaves the outcome open
	Straight bool          // no redirect is followed in any case
	MaxBody  int64         // bytes of the answer, unpacked; 0: the client's
}

// Response is an answer, whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

var errClosed = errors.New("the connection was closed")

// New prepares a client; nothing is sent.
func New(o Options) (*Client, error) {
	base, err := parseAddress(o.Address)
	if err != nil {
		return nil, err
	}
	roots, err := rootsWith(o.CA)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, timeout: cmp.Or(o.Timeout, defaultTimeout), maxBody: cmp.Or(o.MaxBody, defaultBody), logger: o.Logger}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	transport := &http.Transport{
		DialContext: o.Dial, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		MaxConnsPerHost: o.Connections, IdleConnTimeout: idleFor, MaxResponseHeaderBytes: maxHeader,
		TLSHandshakeTimeout: c.timeout,
	}
	c.http = &http.Client{CheckRedirect: c.checkRedirect, Transport: transport}
	if o.NTLM {
		c.http.Transport = newNTLM(transport)
	}
	c.life, c.end = context.WithCancelCause(context.Background())
	return c, nil
}

// rootsWith adds authorities to the machine's; nil: the machine's alone.
func rootsWith(pem string) (*x509.CertPool, error) {
	if pem == "" {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM([]byte(pem)) {
		return nil, connectors.Misuse("ca: no certificate in PEM form is in it")
	}
	return roots, nil
}

// Do makes one exchange. Whatever the status is, the answer is returned; the error is a *connectors.Failure, a
// *fault.Error of the dialer, or, where nothing was sent that has an effect, the context's.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	call, end := c.bound(ctx, cmp.Or(r.Patience, c.timeout))
	defer end()
	var wrote atomic.Bool
	call = httptrace.WithClientTrace(call, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	request, err := c.request(call, r)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	response, err := c.exchange(request, r)
	if err != nil {
		failed := explain(ctx, call, err, wrote.Load(), wrote.Load() && r.Effect)
		c.logger.DebugContext(ctx, "exchange failed", "method", request.Method, "path", request.URL.Path, "error", failed)
		return nil, failed
	}
	c.logger.DebugContext(ctx, "exchange", "method", request.Method, "path", request.URL.Path, "status", response.Status,
		"bytes", len(response.Body), "ms", time.Since(began).Milliseconds())
	return response, nil
}

// bound ends a call with its time, and with the client.
func (c *Client) bound(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	timed, cancel := context.WithTimeoutCause(ctx, patience, errSlow)
	call, stop := context.WithCancelCause(timed)
	unhook := context.AfterFunc(c.life, func() { stop(errClosed) })
	return call, func() { unhook(); stop(nil); cancel() }
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	to, err := c.base.Parse(r.URL)
	if err != nil || !sameOrigin(to, c.base) {
		return nil, connectors.Misuse("the request leads away from the connection's address")
	}
	request, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodGet), to.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, connectors.Misuse("the request cannot be made: %w", err)
	}
	maps.Copy(request.Header, r.Header)
	request.Header.Set("User-Agent", "gantry")
	return request, nil
}

func (c *Client) exchange(request *http.Request, r Request) (*Response, error) {
	do, maxBody := c.http.Do, cmp.Or(r.MaxBody, c.maxBody)
	if r.Straight {
		do = c.http.Transport.RoundTrip // it knows of no redirects
	}
	answer, err := do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1)) // after unpacking: a bomb ends here
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > maxBody {
		return nil, connectors.ErrTooLarge
	}
	return &Response{Status: answer.StatusCode, Header: answer.Header, Body: body}, nil
}

// checkRedirect follows a redirect only where it can do no harm. What is not followed is the answer.
func (c *Client) checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	safe := first.Method == http.MethodGet || first.Method == http.MethodHead
	if !safe || len(via) > maxRedirects || !sameOrigin(next.URL, c.base) {
		return http.ErrUseLastResponse
	}
	return nil
}

// Close ends all calls.
func (c *Client) Close() {
	c.end(errClosed)
	c.http.CloseIdleConnections()
}
