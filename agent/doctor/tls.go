package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"gantry/tunnel"
	"gantry/tunnel/check"
)

// checkTLS is about the outer TLS with the relay's address, or with what stands there.
func (w *way) checkTLS(context.Context) check.Outcome {
	if w.relay.Scheme != "https" {
		return check.Pass("not used: " + w.Relay + " is plain, the TLS inside it is not")
	}
	failed := w.failed(tunnel.StageTLS, false)
	if failed == nil {
		step := w.step(tunnel.StageTLS, false)
		if step == nil {
			return check.Skip("TLS was not begun: " + errorText(w.err))
		}
		leaf := step.TLS.PeerCertificates[0]
		return check.Pass(fmt.Sprintf("%s, certificate until %s", tls.VersionName(step.TLS.Version), leaf.NotAfter.Format(time.DateOnly)),
			"issued by "+leaf.Issuer.String()).In(step.Took)
	}
	id, vendor := tlsFinding(failed)
	evidence := evidenceOf(failed)
	if failed.Certificate != nil {
		evidence = certificateLines(failed.Certificate)
	}
	o := check.Fail(id, evidence...).With("vendor", vendor).With("issuer", failed.Issuer).With("now", time.Now().UTC().Format(time.DateTime+" MST"))
	if c := failed.Certificate; c != nil {
		o = o.With("ended", c.NotAfter.UTC().Format(time.DateTime+" MST")).With("begins", c.NotBefore.UTC().Format(time.DateTime+" MST")).
			With("names", strings.Join(names(c), ", "))
	}
	return w.fill(o)
}

// tlsFinding names the finding, and the inspecting product where the issuer gives it away.
func tlsFinding(e *tunnel.DialError) (id, vendor string) {
	if e.Certificate != nil {
		vendor = tunnel.InspectorOf([]*x509.Certificate{e.Certificate})
	}
	switch reason := e.Reason(); {
	case reason == tunnel.ReasonUntrusted && vendor != "":
		return "NET-TLS-INSPECTED", vendor
	case reason == tunnel.ReasonUntrusted:
		return "NET-TLS-CA", ""
	case reason == tunnel.ReasonExpired:
		return "NET-TLS-EXPIRED", ""
	case reason == tunnel.ReasonNotYet:
		return "NET-TLS-NOT-YET", ""
	case reason == tunnel.ReasonWrongName:
		return "NET-TLS-NAME", ""
	case reason == tunnel.ReasonNotTLS:
		return "NET-TLS-NONE", ""
	case reason == tunnel.ReasonTLSRefused:
		return "NET-TLS-REFUSED", ""
	}
	return "NET-TLS-CUT", ""
}

func certificateLines(c *x509.Certificate) []string {
	return []string{
		"the certificate is for " + strings.Join(names(c), ", "),
		"issued by " + c.Issuer.String(),
		fmt.Sprintf("valid from %s to %s", c.NotBefore.UTC().Format(time.DateTime), c.NotAfter.UTC().Format(time.DateTime)),
	}
}

// names are whom a certificate is for.
func names(c *x509.Certificate) []string {
	all := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		all = append(all, c.Subject.String())
	}
	return all[:min(len(all), 6)]
}

// checkInspection tells a proxy that opens TLS and is trusted: the agent works through it, and its people should know.
func (w *way) checkInspection(ctx context.Context) check.Outcome {
	if w.relay.Scheme != "https" {
		return check.Pass("not possible: no outer TLS is used")
	}
	sight, err := w.Dialer.Look(ctx)
	var evidence []string
	if echo := sight.Echo; echo != nil {
		evidence = append(evidence, "the relay sees this agent as "+echo.Remote)
	}
	if len(sight.Via) > 0 {
		evidence = append(evidence, "on the way: "+strings.Join(sight.Via, ", "))
	}
	if sign, ok := sight.Inspected(); ok {
		evidence = append([]string{sign}, evidence...)
		return w.fill(check.Warn("NET-INSPECTED", evidence...).With("vendor", cmp.Or(sight.Inspector, "A proxy")))
	}
	said := map[tunnel.Outer]string{
		tunnel.OuterSame:  "none: agent and relay see the same TLS",
		tunnel.OuterEnded: "no sign of it; a load balancer before the relay ends the TLS",
	}[sight.Outer]
	if err != nil || said == "" {
		said = "no sign of it in the certificate"
	}
	return check.Pass(append([]string{said}, evidence...)...)
}
