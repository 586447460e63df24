package tunnel

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
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
// proxied request would lose the upgrade.
func (d *Dialer) throughProxy(ctx context.Context, proxy *url.URL, address string) (net.Conn, error) {
	at := WithPort(proxy)
	conn, err := d.connect(ctx, at, true)
	if err != nil {
		return nil, err
	}
	if proxy.Scheme == "https" {
		if conn, err = d.outerTLS(ctx, conn, proxy.Hostname(), at, true); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	tunnelled, refused := connectTo(ctx, conn, proxy.User, address)
	if refused != nil {
		_ = conn.Close()
		refused.Address = at
		return nil, refused
	}
	d.step(begin, Step{Stage: StageProxy, Address: at, Proxy: true})
	return tunnelled, nil
}

// connectTo asks the proxy on conn for a tunnel to address.
func connectTo(ctx context.Context, conn net.Conn, user *url.Userinfo, address string) (net.Conn, *DialError) {
	failed := &DialError{Stage: StageProxy, Proxy: true}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(past) })()
	if failed.Err = conn.SetDeadline(time.Now().Add(connectTime)); failed.Err != nil {
		return nil, failed
	}
	request := connectRequest(user, address)
	if failed.Err = request.Write(conn); failed.Err != nil {
		return nil, failed
	}
	reader := bufio.NewReader(io.LimitReader(conn, maxProxyAnswer))
	resp, err := http.ReadResponse(reader, request)
	if err != nil {
		failed.Err = fmt.Errorf("read the proxy's answer: %w", err)
		return nil, failed
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refusedByProxy(failed, resp, user != nil)
	}
	if failed.Err = conn.SetDeadline(time.Time{}); failed.Err != nil {
		return nil, failed
	}
	early, _ := reader.Peek(reader.Buffered()) // what is buffered can be peeked
	return &replayed{Conn: conn, first: early}, nil
}

func connectRequest(user *url.Userinfo, address string) *http.Request {
	r := &http.Request{
		Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address,
		Header: http.Header{"User-Agent": {"gantry-agent"}},
	}
	if user != nil {
		password, _ := user.Password()
		r.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	return r
}

// refusedByProxy says what the proxy wants, or what it said.
func refusedByProxy(failed *DialError, resp *http.Response, authenticated bool) *DialError {
	defer resp.Body.Close()
	failed.hear(resp)
	switch {
	case resp.StatusCode != http.StatusProxyAuthRequired:
		failed.Err = errors.New("the proxy does not connect to the relay")
	case authenticated:
		failed.Err = errors.New("the proxy refuses the user name or the password")
	default:
		failed.Err = errors.New("the proxy wants a user name and a password")
	}
	for _, challenge := range resp.Header.Values("Proxy-Authenticate") {
		scheme, _, _ := strings.Cut(strings.TrimSpace(challenge), " ")
		if len(failed.Schemes) < 8 && scheme != "" {
			failed.Schemes = append(failed.Schemes, shorten(scheme, 32))
		}
	}
	return failed
}
