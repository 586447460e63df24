package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gantry/tunnel"
	"gantry/tunnel/check"
)

// checkConnect is about HTTP CONNECT, and the TLS of a proxy that wants it.
func (w *way) checkConnect(context.Context) check.Outcome {
	if w.proxy == nil {
		return check.Pass("not needed: there is no proxy")
	}
	if failed := w.failed(tunnel.StageTLS, true); failed != nil {
		return w.fill(check.Fail("NET-PROXY-TLS", evidenceOf(failed)...))
	}
	failed := w.failed(tunnel.StageProxy, true)
	if failed == nil {
		step := w.step(tunnel.StageProxy, true)
		if step == nil {
			return check.Skip("the proxy was not asked: " + errorText(w.err))
		}
		return check.Pass(fmt.Sprintf("%s connects to %s, in %s", step.Address, tunnel.WithPort(w.relay), millis(step.Took))).In(step.Took)
	}
	evidence := evidenceOf(failed)
	if failed.Status != 0 {
		evidence = append([]string{fmt.Sprintf("CONNECT %s: the proxy answered %d", tunnel.WithPort(w.relay), failed.Status)}, evidence...)
	}
	o := check.Fail(proxyFinding(failed, w.proxy.User != nil), evidence...).With("origin", w.Origin).
		With("schemes", strings.Join(failed.Schemes, ", ")).With("status", answered(failed.Status))
	if w.proxy.User != nil {
		o = o.With("user", w.proxy.User.Username())
	}
	return w.fill(o)
}

// answered says a status in words that fit behind "it answered".
func answered(status int) string {
	if status == 0 {
		return "nothing"
	}
	return fmt.Sprint(status)
}

func proxyFinding(e *tunnel.DialError, login bool) string {
	switch e.Reason() {
	case tunnel.ReasonProxyAuth:
		known := slices.ContainsFunc(e.Schemes, func(s string) bool { return strings.EqualFold(s, "Basic") || strings.EqualFold(s, "NTLM") })
		switch {
		case e.Login != "":
			return "NET-407-LOGIN"
		case login || !known:
			return "NET-407-SCHEME"
		}
		return "NET-407"
	case tunnel.ReasonProxyFar, tunnel.ReasonTimeout: // squid tries for a minute before it says 503
		return "NET-502"
	case tunnel.ReasonProxyNo:
		return "NET-403"
	case tunnel.ReasonNotProxy:
		return "NET-NOT-PROXY"
	}
	return "NET-PROXY-CUT"
}

// evidenceOf is what a stranger said, in lines.
func evidenceOf(e *tunnel.DialError) []string {
	var lines []string
	if e.Status == 0 && e.Err != nil {
		lines = append(lines, errorText(e.Err))
	}
	if len(e.Schemes) > 0 {
		lines = append(lines, "it asks for "+strings.Join(e.Schemes, ", "))
	}
	if e.Server != "" {
		lines = append(lines, "it calls itself "+e.Server)
	}
	if e.Target != "" {
		lines = append(lines, "it sends to "+e.Target)
	}
	if e.Answer != "" {
		lines = append(lines, "it says: "+e.Answer)
	}
	return lines
}
