package tunnel

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"gantry/tunnel/pki"
)

// Dialer is the agent's end. Its fields are not changed once it is used; it may be used concurrently.
type Dialer struct {
	URL string // of the relay: wss, ws, https or http; /tunnel is added to its path
	// Proxy names the proxy for a URL (http or https), as http.ProxyFromEnvironment does; nil, or a nil URL, means none.
	// User and password in the URL are used for basic authentication.
	Proxy    func(*url.URL) (*url.URL, error)
	Roots    *x509.CertPool                  // of the outer TLS; nil means the system's
	Pin      pki.Pin                         // of the relay's authority
	Identity func() (tls.Certificate, error) // the agent's certificate and key; not needed to enrol
	Handler  http.Handler                    // what the relay may call
	// Connect makes a TCP connection; nil means a net.Dialer with the tunnel's settings.
	Connect func(ctx context.Context, network, address string) (net.Conn, error)
	Logger  *slog.Logger

	trace func(Step) // of a probe
}

// Times of the stages before the inner TLS.
const (
	connectTime = 10 * time.Second
	upgradeTime = 10 * time.Second
)

// Dial opens a session. The error is a *Refused, a *DialError, or wraps ctx's.
func (d *Dialer) Dial(ctx context.Context, hello Hello) (*Session, error) {
	if err := hello.check(); err != nil {
		return nil, err
	}
	identity, err := d.Identity()
	if err != nil {
		return nil, fmt.Errorf("load the agent's identity: %w", err)
	}
	conn, sock, err := d.dial(ctx, &tls.Config{Certificates: []tls.Certificate{identity}, NextProtos: []string{protocol}})
	if err != nil {
		return nil, err
	}
	s, err := d.introduce(ctx, conn, sock, hello)
	if err != nil {
		_ = sock.Close()
		return nil, err
	}
	return s, nil
}

// DialEnrol opens a connection for the one request of an enrolment: the relay is proved, the agent is not.
func (d *Dialer) DialEnrol(ctx context.Context) (net.Conn, error) {
	conn, sock, err := d.dial(ctx, &tls.Config{NextProtos: []string{protocolEnrol}})
	if err != nil {
		return nil, err
	}
	return enrolConn{conn, sock}, nil
}

// enrolConn closes the websocket with the TLS connection.
type enrolConn struct {
	*tls.Conn
	sock *socket
}

// Close implements net.Conn.
func (c enrolConn) Close() error { return c.sock.Close() }

// dial goes the way up to the inner TLS.
func (d *Dialer) dial(ctx context.Context, config *tls.Config) (*tls.Conn, *socket, error) {
	target, proxy, err := d.Way()
	if err != nil {
		return nil, nil, err
	}
	way, err := d.reach(ctx, target, proxy)
	if err != nil {
		return nil, nil, d.alive(ctx, err)
	}
	sock, err := d.upgrade(ctx, way, target)
	if err != nil {
		_ = way.Close()
		return nil, nil, d.alive(ctx, err)
	}
	conn, err := d.prove(ctx, sock, target.Host, config)
	if err != nil {
		_ = sock.Close()
		return nil, nil, d.alive(ctx, err)
	}
	return conn, sock, nil
}

// alive makes the end of the caller's context the reason, where it is; but a probe wants to know where it was by then.
func (d *Dialer) alive(ctx context.Context, err error) error {
	if ctx.Err() != nil && d.trace == nil {
		return fmt.Errorf("dial the relay: %w", context.Cause(ctx))
	}
	return err
}

// tunnelURL completes the relay's URL, as http or https.
func tunnelURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("the relay's URL %q is none", shorten(text, 200))
	}
	switch u.Scheme {
	case "ws", "http":
		u.Scheme = "http"
	case "wss", "https":
		u.Scheme = "https"
	default:
		return nil, fmt.Errorf("the relay's URL begins with %q: wss, ws, https or http is needed", u.Scheme)
	}
	if !strings.HasSuffix(u.Path, Path) {
		u.Path = path.Join("/", u.Path, Path)
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u, nil
}

// Way says where the dialer goes: to the relay, as an http or https URL, through the proxy unless that is nil.
func (d *Dialer) Way() (relay, proxy *url.URL, err error) {
	if relay, err = tunnelURL(d.URL); err != nil {
		return nil, nil, err
	}
	proxy, err = d.proxyFor(relay)
	return relay, proxy, err
}

// reach connects to the relay, through the proxy where there is one, and with TLS where the URL asks for it.
func (d *Dialer) reach(ctx context.Context, target, proxy *url.URL) (conn net.Conn, err error) {
	address := WithPort(target)
	if proxy == nil {
		conn, err = d.connect(ctx, address, false)
	} else {
		conn, err = d.throughProxy(ctx, proxy, address)
	}
	if err != nil || target.Scheme != "https" {
		return conn, err
	}
	return d.outerTLS(ctx, conn, target.Hostname(), address, false)
}

// WithPort gives a URL's host and port, the scheme's own where it names none.
func WithPort(u *url.URL) string {
	port := "80"
	if u.Scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
}

func (d *Dialer) connect(ctx context.Context, address string, proxy bool) (net.Conn, error) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	connect := d.Connect
	if connect == nil {
		connect = (&net.Dialer{Control: tuneSocket}).DialContext
	}
	conn, err := connect(ctx, "tcp", address)
	if err != nil {
		at := StageTCP
		if _, ok := errors.AsType[*net.DNSError](err); ok {
			at = StageDNS
		}
		return nil, &DialError{Stage: at, Address: address, Proxy: proxy, Err: err}
	}
	d.step(begin, Step{Stage: StageTCP, Address: address, Proxy: proxy, Remote: conn.RemoteAddr()})
	return conn, nil
}

// outerTLS is HTTPS with the relay, or with the proxy.
func (d *Dialer) outerTLS(ctx context.Context, conn net.Conn, name, address string, proxy bool) (net.Conn, error) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	outer := tls.Client(&link{Conn: conn}, &tls.Config{
		ServerName:                  name,
		RootCAs:                     d.Roots,
		NextProtos:                  []string{"http/1.1"}, // a websocket upgrade is HTTP/1.1's
		CurvePreferences:            outerCurves,
		MinVersion:                  tls.VersionTLS12, // proxies that inspect are often old; what is inside is 1.3
		DynamicRecordSizingDisabled: true,
	})
	if err := outer.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		failed := &DialError{Stage: StageTLS, Address: address, Proxy: proxy, Err: err}
		failed.Certificate, failed.Issuer = shown(err)
		return nil, failed
	}
	state := outer.ConnectionState()
	d.step(begin, Step{Stage: StageTLS, Address: address, Proxy: proxy, TLS: &state})
	return outer, nil
}

// outerCurves leaves the post-quantum exchange to the inner TLS, which is the one that is trusted: with it a ClientHello
// no longer fits into one packet, on which old proxies that inspect choke, and it would be paid for twice. Every TLS
// server has P-256 (RFC 8446, 9.1).
var outerCurves = []tls.CurveID{tls.CurveP256, tls.CurveP384}

// shown gives the certificate that was not trusted, and who issued it: an inspecting proxy gives itself away by that.
func shown(err error) (*x509.Certificate, string) {
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && len(untrusted.UnverifiedCertificates) > 0 {
		leaf := untrusted.UnverifiedCertificates[0]
		return leaf, shorten(leaf.Issuer.String(), 200)
	}
	return nil, ""
}

// upgrade makes the websocket. Whatever else answers is told by what it answered.
func (d *Dialer) upgrade(ctx context.Context, conn net.Conn, target *url.URL) (*socket, error) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, upgradeTime)
	defer cancel()
	plain := *target
	plain.Scheme = "http" // the connection is made, with its TLS
	sock, resp, err := dialSocket(ctx, conn, plain.String())
	if err == nil {
		d.step(begin, Step{Stage: StageWebSocket, Address: WithPort(target), At: time.Now(), Header: resp.Header})
		return sock, nil
	}
	failed := &DialError{Stage: StageWebSocket, Address: WithPort(target), Err: err}
	if resp == nil {
		return nil, failed
	}
	if refused := refusedBefore(resp); refused != nil {
		return nil, refused
	}
	failed.hear(resp)
	failed.NoUpgrade = resp.Header.Get(headerRefused) == noUpgrade
	failed.Err = errNotRelay
	if resp.StatusCode == http.StatusSwitchingProtocols {
		failed.Err = err
	}
	return nil, failed
}

var errNotRelay = errors.New("the answer is not the relay's: a proxy or another server stands at this address, or takes the upgrade off")

// refusedBefore reads a refusal that was made before the upgrade.
func refusedBefore(resp *http.Response) *Refused {
	if resp.StatusCode != http.StatusServiceUnavailable {
		return nil
	}
	switch resp.Header.Get(headerRefused) {
	case CodeOverloaded:
		return overloaded()
	case CodeDraining:
		return draining()
	}
	return nil
}

// hear keeps what a stranger answered.
func (e *DialError) hear(resp *http.Response) {
	e.Status = resp.StatusCode
	e.Answer, e.Page = firstText(resp.Body)
	e.Server = shorten(cmp.Or(resp.Header.Get("Via"), resp.Header.Get("Server")), 100)
	e.Target = shorten(resp.Header.Get("Location"), 200)
}

// prove is the inner TLS: relay and agent prove themselves. The relay may let us wait in line.
func (d *Dialer) prove(ctx context.Context, sock *socket, address string, config *tls.Config) (*tls.Conn, error) {
	begin := time.Now()
	config.ServerName = pki.ServerName
	config.MinVersion = tls.VersionTLS13
	config.CurvePreferences = innerCurves
	config.SessionTicketsDisabled = true
	config.DynamicRecordSizingDisabled = true // the outbox decides what goes out together
	config.InsecureSkipVerify = true          // because VerifyConnection does it, by the pin and without a clock
	config.VerifyConnection = func(state tls.ConnectionState) error {
		return pki.VerifyServer(state.PeerCertificates, d.trusted(state))
	}
	defer context.AfterFunc(ctx, func() { _ = sock.SetDeadline(past) })()
	err := sock.SetDeadline(time.Now().Add(2*line + stage))
	if err == nil {
		conn := tls.Client(sock, config)
		if err = conn.HandshakeContext(ctx); err == nil {
			d.step(begin, Step{Stage: StageInnerTLS, Address: address})
			return conn, nil
		}
	}
	if refused := later(sock); refused != nil {
		return nil, refused
	}
	return nil, &DialError{Stage: StageInnerTLS, Address: address, Err: err}
}

// later tells whether the relay sent us away for now.
func later(sock *socket) *Refused {
	if parted := sock.farewell(); parted != nil {
		return parted.refusedEarly()
	}
	return nil
}

// introduce says hello and hears whether the agent is welcome.
func (d *Dialer) introduce(ctx context.Context, conn *tls.Conn, sock *socket, hello Hello) (*Session, error) {
	stop := context.AfterFunc(ctx, func() { _ = sock.SetDeadline(past) })
	answer, err := greetRelay(conn, sock, hello)
	if !stop() {
		return nil, d.alive(ctx, err)
	}
	if err != nil {
		if refused, ok := errors.AsType[*Refused](err); ok {
			return nil, refused
		}
		return nil, &DialError{Stage: StageHello, Address: sock.RemoteAddr().String(), Err: err}
	}
	peer := Peer{
		AgentID: answer.AgentID, Certificate: conn.ConnectionState().PeerCertificates[0], Hello: hello,
		RemoteAddr: sock.RemoteAddr().String(), Since: time.Now(), Expired: answer.Expired,
	}
	log := d.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s, err := newSession(conn, sock, true, peer, func(*Session) http.Handler { return d.Handler }, log)
	if err != nil {
		return nil, err
	}
	s.start(nil)
	return s, nil
}

func greetRelay(conn *tls.Conn, sock *socket, hello Hello) (welcome, error) {
	if err := sock.SetDeadline(time.Now().Add(3 * stage)); err != nil {
		return welcome{}, err
	}
	if err := writeMessage(conn, hello); err != nil {
		return welcome{}, err
	}
	return readWelcome(conn)
}
