package tunnel

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// Stage is a step of the way to the relay.
type Stage string

// The stages, in order.
const (
	StageDNS       Stage = "dns"
	StageTCP       Stage = "tcp"
	StageProxy     Stage = "proxy"     // CONNECT
	StageTLS       Stage = "tls"       // the outer one, with the proxy or the relay
	StageWebSocket Stage = "websocket" // the upgrade
	StageInnerTLS  Stage = "inner_tls" // relay and agent prove themselves
	StageHello     Stage = "hello"
)

// DialError says at which stage the way to the relay ended, and what was met there. It holds no secret.
type DialError struct {
	Stage   Stage
	Address string   // whom the stage was with: host and port
	Proxy   bool     // whether that was the proxy
	Status  int      // HTTP status that was answered; 0: none
	Schemes []string // of a 407: what the proxy asks for (Basic, NTLM, Negotiate …)
	Login   string   // of a proxy: the scheme by which we logged in
	Issuer  string   // of a certificate that is not trusted: who issued it, which names an inspecting proxy
	Answer  string   // the first text of an answer that was not the relay's
	Page    bool     // that answer was a page for a browser
	Server  string   // who says to have answered: the Server or Via header
	Target  string   // where a redirection leads
	Err     error

	Certificate *x509.Certificate // of a TLS that failed: the one that was shown
	NoUpgrade   bool              // the relay itself answered: the request came without its Upgrade header
}

// Error implements error.
func (e *DialError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "reach the relay: %s stage with %s", e.Stage, e.Address)
	if e.Proxy {
		b.WriteString(" (the proxy)")
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": answered %d", e.Status)
	}
	if len(e.Schemes) > 0 {
		fmt.Fprintf(&b, ", asks for %s", strings.Join(e.Schemes, ", "))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Issuer != "" {
		fmt.Fprintf(&b, " (issued by %s)", e.Issuer)
	}
	if e.Answer != "" {
		fmt.Fprintf(&b, ": %q", e.Answer)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *DialError) Unwrap() error { return e.Err }

// shorten bounds a foreign text to a size that a log line should hold.
func shorten(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "")
}
