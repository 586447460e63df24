package tunnel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"time"

	"gantry/tunnel/pki"
)

// Reason is what went wrong at a stage, in one word: what a person can act on depends on it.
type Reason string

// The reasons, by the stage at which they are met; those of TCP are met at every later stage, too.
const (
	ReasonUnknown Reason = "unknown" // none of the following

	ReasonNoName    Reason = "no_name"    // dns: the name does not exist
	ReasonNoAnswer  Reason = "no_answer"  // dns: no server answers, or it cannot tell
	ReasonRefused   Reason = "refused"    // tcp: nobody listens, or a firewall rejects
	ReasonTimeout   Reason = "timeout"    // nothing came back in time
	ReasonCut       Reason = "cut"        // the connection was closed or reset under way
	ReasonNoRoute   Reason = "no_route"   // tcp: the network says that there is no way
	ReasonForbidden Reason = "forbidden"  // tcp: this machine's own rules do not let the program out
	ReasonSetting   Reason = "setting"    // proxy: its address is none
	ReasonProxyNo   Reason = "proxy_no"   // proxy: its rules do not allow the relay
	ReasonProxyAuth Reason = "proxy_auth" // proxy: it asks who we are
	ReasonProxyFar  Reason = "proxy_far"  // proxy: it cannot reach the relay itself
	ReasonNotProxy  Reason = "not_proxy"  // proxy: what answers there is none

	ReasonExpired     Reason = "expired"      // tls: the certificate has ended
	ReasonNotYet      Reason = "not_yet"      // tls: the certificate begins in the future
	ReasonWrongName   Reason = "wrong_name"   // tls: the certificate is for another host
	ReasonUntrusted   Reason = "untrusted"    // tls: its issuer is not trusted here
	ReasonNotTLS      Reason = "not_tls"      // tls: the answer is no TLS
	ReasonTLSRefused  Reason = "tls_refused"  // tls: the other end refused the handshake
	ReasonNoUpgrade   Reason = "no_upgrade"   // websocket: the request reached the relay without its Upgrade header
	ReasonRedirected  Reason = "redirected"   // websocket: sent elsewhere, as a portal does
	ReasonGateway     Reason = "gateway"      // websocket: what stands before the relay cannot reach it
	ReasonForeign     Reason = "foreign"      // websocket: another server answered
	ReasonWrongRelay  Reason = "wrong_relay"  // inner_tls: not the relay of the pin
	ReasonNoSuchRelay Reason = "no_such_path" // websocket: there is no tunnel at this address
	ReasonProtocol    Reason = "protocol"     // inner_tls: the relay speaks no form of the tunnel that we do
)

// Reason tells why the stage failed.
func (e *DialError) Reason() Reason {
	if reason := e.answered(); reason != "" {
		return reason
	}
	if reason := certificateReason(e.Err, e.Certificate); reason != "" {
		return reason
	}
	return e.broken()
}

// answered judges by the status that came back.
func (e *DialError) answered() Reason {
	switch {
	case e.Stage == StageProxy && errors.Is(e.Err, errProxySetting):
		return ReasonSetting
	case e.Status == 0:
		return ""
	case e.Stage == StageProxy:
		return proxyReason(e.Status)
	case e.NoUpgrade:
		return ReasonNoUpgrade
	case e.Status >= 300 && e.Status < 400, e.Status == http.StatusNetworkAuthenticationRequired:
		return ReasonRedirected
	case e.Status == http.StatusBadGateway, e.Status == http.StatusServiceUnavailable, e.Status == http.StatusGatewayTimeout:
		return ReasonGateway
	case e.Status == http.StatusNotFound:
		return ReasonNoSuchRelay
	}
	return ReasonForeign
}

func proxyReason(status int) Reason {
	switch {
	case status == http.StatusProxyAuthRequired:
		return ReasonProxyAuth
	case status == http.StatusBadRequest, status == http.StatusNotImplemented, status < 400:
		return ReasonNotProxy
	case status >= 500: // 502, 503, 504; tinyproxy says 500
		return ReasonProxyFar
	}
	return ReasonProxyNo // 403, and what proxies use in its place: 401, 404, 405
}

// certificateReason judges an error of the outer or the inner TLS; empty: it is not the certificate.
func certificateReason(err error, leaf *x509.Certificate) Reason {
	if errors.Is(err, pki.ErrPin) || errors.Is(err, pki.ErrUnfit) {
		return ReasonWrongRelay
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		if leaf != nil && time.Now().Before(leaf.NotBefore) {
			return ReasonNotYet
		}
		return ReasonExpired
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return ReasonWrongName
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ReasonUntrusted
	}
	return ""
}

// noApplicationProtocol is the alert of a TLS server with which no protocol is in common (RFC 7301, 3.2).
const noApplicationProtocol = 120

// alertOf gives the TLS alert that the other end sent. crypto/tls hands it out as a number of a type of its own.
func alertOf(err error) (uint64, bool) {
	far, ok := errors.AsType[*net.OpError](err)
	if !ok || far.Op != "remote error" {
		return 0, false
	}
	if v := reflect.ValueOf(far.Err); v.Kind() == reflect.Uint8 {
		return v.Uint(), true
	}
	return 0, true
}

// broken judges what the network did.
func (e *DialError) broken() Reason {
	if dns, ok := errors.AsType[*net.DNSError](e.Err); ok {
		if dns.IsNotFound {
			return ReasonNoName
		}
		return ReasonNoAnswer
	}
	if reason := socketReason(e.Err); reason != "" {
		return reason
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](e.Err); ok {
		return ReasonNotTLS
	}
	if alert, ok := alertOf(e.Err); ok {
		if e.Stage == StageInnerTLS && alert == noApplicationProtocol {
			return ReasonProtocol
		}
		return ReasonTLSRefused
	}
	if failed, ok := errors.AsType[net.Error](e.Err); ok && failed.Timeout() || errors.Is(e.Err, context.DeadlineExceeded) || errors.Is(e.Err, os.ErrDeadlineExceeded) {
		return ReasonTimeout
	}
	if errors.Is(e.Err, io.EOF) || errors.Is(e.Err, io.ErrUnexpectedEOF) {
		return ReasonCut
	}
	if e.Stage == StageProxy {
		return ReasonNotProxy
	}
	return ReasonUnknown
}
