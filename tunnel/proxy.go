package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// maxProxyAnswer bounds what a proxy may answer to CONNECT, in bytes.
const maxProxyAnswer = 64 << 10

// proxyFor asks for the proxy of a target; nil: none.
func (d *Dialer) proxyFor(target *url.URL) (*url.URL, error) {
	if d.Proxy == nil {
		return nil, nil
	}
	proxy, err := d.Proxy(target)
	if err != nil {
		return nil, &DialError{Stage: StageProxy, Address: target.Host, Proxy: true, Err: fmt.Errorf("%w: it cannot be read", errProxySetting)} // the text may hold its password
	}
	if proxy == nil {
		return nil, nil
	}
	if proxy.Scheme != "http" && proxy.Scheme != "https" {
		return nil, &DialError{Stage: StageProxy, Address: proxy.Host, Proxy: true, Err: fmt.Errorf("%w: the kind %q is not supported, http and https are", errProxySetting, proxy.Scheme)}
	}
	return proxy, nil
}

// errProxySetting is a proxy that cannot be used as it is named.
var errProxySetting = errors.New("the proxy's address is none")

// throughProxy connects to address by HTTP CONNECT (RFC 9110, 9.3.6). It is used for a plain relay too: an ordinary
// proxied request would lose the upgrade. Nothing of a login is said before the proxy has asked for one, so that a
// password never goes out in a weaker form than the proxy wants.
func (d *Dialer) throughProxy(ctx context.Context, proxy *url.URL, address string) (net.Conn, error) {
	c := &connecting{dialer: d, proxy: proxy, at: WithPort(proxy), address: address}
	conn, err := c.connect(ctx)
	if err != nil {
		c.close()
		return nil, err
	}
	d.step(c.begin, Step{Stage: StageProxy, Address: c.at, Proxy: true, Login: c.login})
	return conn, nil
}

// connecting is the way through a proxy, with the connection to it as long as the proxy keeps that open.
type connecting struct {
	dialer  *Dialer
	proxy   *url.URL
	at      string // the proxy's host and port
	address string // the relay's

	conn   net.Conn // nil: there is none
	limit  *io.LimitedReader
	reader *bufio.Reader
	begin  time.Time // of the first request
	login  string    // the scheme of the login that was tried
}

func (c *connecting) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// connect asks for the tunnel, and logs in where the proxy wants that and we can.
func (c *connecting) connect(ctx context.Context) (net.Conn, error) {
	answer, err := c.ask(ctx, "")
	if err == nil && answer.status == http.StatusProxyAuthRequired {
		answer, err = c.logIn(ctx, answer)
	}
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, c.refused(answer)
	}
	if err := c.conn.SetDeadline(time.Time{}); err != nil {
		return nil, c.failed(err)
	}
	early, _ := c.reader.Peek(c.reader.Buffered()) // what is buffered can be peeked
	return &replayed{Conn: c.conn, first: early}, nil
}

// reach makes the connection to the proxy, unless it is there.
func (c *connecting) reach(ctx context.Context) error {
	if c.conn != nil {
		return nil
	}
	conn, err := c.dialer.connect(ctx, c.at, true)
	if err == nil && c.proxy.Scheme == "https" {
		conn, err = c.dialer.outerTLS(ctx, conn, c.proxy.Hostname(), c.at, true)
	}
	if err != nil {
		return err
	}
	c.conn, c.limit = conn, &io.LimitedReader{R: conn}
	c.reader = bufio.NewReader(c.limit)
	return nil
}

// proxyAnswer is what a proxy said, read to its end.
type proxyAnswer struct {
	status     int
	challenges []challenge
	said       DialError // the fields that hear fills
}

// ask sends one CONNECT. Many proxies close their connection after a 407 without saying so: what breaks then is asked
// once more, on a new one.
func (c *connecting) ask(ctx context.Context, authorization string) (*proxyAnswer, error) {
	kept := c.conn != nil
	answer, err := c.askOnce(ctx, authorization)
	if err != nil && kept && ctx.Err() == nil {
		c.close()
		return c.askOnce(ctx, authorization)
	}
	return answer, err
}

// askOnce leaves the connection ready for the next request, or closed.
func (c *connecting) askOnce(ctx context.Context, authorization string) (*proxyAnswer, error) {
	if err := c.reach(ctx); err != nil {
		return nil, err
	}
	if c.begin.IsZero() {
		c.begin = time.Now()
	}
	defer context.AfterFunc(ctx, closing(c.conn))()
	if err := c.conn.SetDeadline(time.Now().Add(connectTime)); err != nil {
		return nil, c.failed(err)
	}
	request := connectRequest(authorization, c.address)
	if err := request.Write(c.conn); err != nil {
		return nil, c.failed(err)
	}
	c.limit.N = maxProxyAnswer
	resp, err := http.ReadResponse(c.reader, request)
	if err != nil {
		return nil, c.failed(fmt.Errorf("read the proxy's answer: %w", err))
	}
	answer := &proxyAnswer{status: resp.StatusCode}
	if resp.StatusCode == http.StatusOK {
		return answer, nil
	}
	answer.said.hear(resp)
	answer.challenges = challenges(resp.Header.Values("Proxy-Authenticate"))
	_, err = io.Copy(io.Discard, resp.Body)
	if err != nil || resp.Close || hasToken(resp.Header, "Proxy-Connection", "close") {
		c.close()
	}
	return answer, nil
}

// closing ends what is under way on a connection.
func closing(conn net.Conn) func() { return func() { _ = conn.SetDeadline(past) } }

func connectRequest(authorization, address string) *http.Request {
	r := &http.Request{
		Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address,
		Header: http.Header{"User-Agent": {"gantry-agent"}},
	}
	if authorization != "" {
		r.Header.Set("Proxy-Authorization", authorization)
	}
	return r
}

func (c *connecting) failed(err error) *DialError {
	return &DialError{Stage: StageProxy, Address: c.at, Proxy: true, Login: c.login, Err: err}
}

// refused says what the proxy wants, or what it said.
func (c *connecting) refused(answer *proxyAnswer) *DialError {
	failed := answer.said
	failed.Stage, failed.Address, failed.Proxy, failed.Login = StageProxy, c.at, true, c.login
	for _, asked := range answer.challenges {
		failed.Schemes = append(failed.Schemes, asked.scheme)
	}
	switch {
	case answer.status != http.StatusProxyAuthRequired:
		failed.Err = errors.New("the proxy does not connect to the relay")
	case c.login != "":
		failed.Err = errors.New("the proxy refuses the user name or the password")
	case c.proxy.User != nil:
		failed.Err = errors.New("the proxy wants a login of a kind that this program does not have")
	default:
		failed.Err = errors.New("the proxy wants a user name and a password")
	}
	return &failed
}
