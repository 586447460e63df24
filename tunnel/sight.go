package tunnel

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Sight is who stands between an agent and its relay, as far as both ends can see. Whoever opens the outer TLS gives
// itself away by one of three signs: the issuer of the certificate that the agent was shown (Inspector), what the relay
// saw of the same request (Echo), and, in Probe, a relay's proof that is not the pin's. None of them is a reason to trust
// the outer TLS less or more: what counts is the inner one.
type Sight struct {
	Chain     []*x509.Certificate // of the outer TLS with the relay's address, leaf first; empty: the URL has no TLS
	Inspector string              // the product that issued Chain, by its names (InspectorOf); empty: none that is known
	Echo      *Echo               // nil: the relay has none, or it did not come through
	Outer     Outer               // whether both ends have the same outer TLS
	Via       []string            // the proxies that wrote themselves into the request or into the answer
	Took      time.Duration
}

// Outer is whether the TLS that the agent sees is the one that the relay sees.
type Outer string

// What can be said of the outer TLS.
const (
	OuterSame     Outer = "same"     // nobody opened it: the exporters are equal
	OuterOpened   Outer = "opened"   // somebody did: they differ
	OuterEnded    Outer = "ended"    // the relay sees none: a load balancer or a proxy before it ends the TLS
	OuterUnknown  Outer = "unknown"  // there was no echo, or the TLS has no exporter
	OuterUnneeded Outer = "unneeded" // the relay's URL has no TLS
)

// Inspected tells whether the outer TLS is opened by another than the relay, and by which sign.
func (s Sight) Inspected() (sign string, ok bool) {
	switch {
	case s.Inspector != "":
		return "the certificate was issued by " + s.Inspector, true
	case s.Outer == OuterOpened:
		return "agent and relay see two different TLS connections", true
	}
	return "", false
}

// maxEcho bounds the answer to an echo's request, in bytes.
const maxEcho = 64 << 10

// ErrNoEcho is a relay, or what answers in its place, that gives no echo.
var ErrNoEcho = errors.New("the relay gives no echo")

// Look asks the relay for its echo over the way that a session takes: the same proxy, the same roots. What was seen
// before an error is given with it; the error is a *DialError, or wraps ErrNoEcho.
func (d *Dialer) Look(ctx context.Context) (Sight, error) {
	begin := time.Now()
	s := Sight{Outer: OuterUnknown}
	target, proxy, err := d.Way()
	if err != nil {
		return s, err
	}
	own := *d
	own.trace = func(step Step) {
		if step.Stage == StageTLS && !step.Proxy {
			s.Chain = step.TLS.PeerCertificates
		}
	}
	way, err := own.reach(ctx, target, proxy)
	if err != nil {
		if failed, ok := errors.AsType[*DialError](err); ok && failed.Certificate != nil && !failed.Proxy {
			s.Chain = []*x509.Certificate{failed.Certificate}
			s.Inspector = InspectorOf(s.Chain)
		}
		return s, err
	}
	defer way.Close() //nolint:errcheck // one request was all
	s.Inspector = InspectorOf(s.Chain)
	echo, via, err := askEcho(ctx, way, target)
	s.Took = time.Since(begin)
	if err != nil {
		return s, err
	}
	s.Echo, s.Via = echo, append(echo.Headers["Via"], via...)
	s.Outer = compare(way, echo)
	return s, nil
}

// compare holds what the relay saw of the outer TLS against our own.
func compare(way net.Conn, echo *Echo) Outer {
	outer, ok := way.(*tls.Conn)
	if !ok {
		return OuterUnneeded
	}
	state := outer.ConnectionState()
	ours := exporter(&state)
	switch {
	case !echo.TLS:
		return OuterEnded
	case ours == "" || echo.Exporter == "":
		return OuterUnknown
	case ours == echo.Exporter:
		return OuterSame
	}
	return OuterOpened
}

// askEcho makes the one request on a connection that was made to the relay.
func askEcho(ctx context.Context, way net.Conn, target *url.URL) (*Echo, []string, error) {
	defer context.AfterFunc(ctx, func() { _ = way.SetDeadline(past) })()
	if err := way.SetDeadline(time.Now().Add(upgradeTime)); err != nil {
		return nil, nil, noEcho(target, err)
	}
	request := &http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: strings.TrimSuffix(target.Path, Path) + EchoPath}, Host: target.Host, Close: true,
		Header: http.Header{"User-Agent": {"gantry-agent"}, "Accept": {"application/json"}},
	}
	if err := request.Write(way); err != nil {
		return nil, nil, noEcho(target, err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(io.LimitReader(way, maxEcho)), request)
	if err != nil {
		return nil, nil, noEcho(target, err)
	}
	defer answer.Body.Close() //nolint:errcheck // the connection is closed with it
	via := answer.Header.Values("Via")
	if answer.StatusCode != http.StatusOK {
		return nil, via, fmt.Errorf("%w: it answers %d", ErrNoEcho, answer.StatusCode)
	}
	var echo Echo
	if err := json.NewDecoder(answer.Body).Decode(&echo); err != nil || echo.Schema == 0 {
		return nil, via, fmt.Errorf("%w: the answer is not a relay's", ErrNoEcho)
	}
	return &echo, via, nil
}

// noEcho is a connection that broke under the request: a stage like that of the websocket, whose place it takes.
func noEcho(target *url.URL, err error) error {
	return &DialError{Stage: StageWebSocket, Address: WithPort(target), Err: err}
}
