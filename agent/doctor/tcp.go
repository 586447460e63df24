package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"gantry/tunnel"
	"gantry/tunnel/check"
)

// maxAddresses bounds how many addresses of one name are tried one by one.
const maxAddresses = 8

// checkTCP goes the whole way, of which the checks after this one read their parts.
func (w *way) checkTCP(ctx context.Context) check.Outcome {
	probing, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	w.steps, w.err = w.Dialer.Probe(probing)
	atProxy := w.proxy != nil
	if failed := w.failed(tunnel.StageDNS, atProxy); failed != nil { // it resolved a moment ago
		return w.noName(w.next().Hostname(), failed.Err)
	}
	if failed := w.failed(tunnel.StageTCP, atProxy); failed != nil {
		return w.noConnection(ctx, failed)
	}
	step := w.step(tunnel.StageTCP, atProxy)
	if step == nil {
		return check.Skip("the way was not gone: " + errorText(w.err))
	}
	return check.Pass(fmt.Sprintf("%s, in %s", remote(step.Remote, step.Address), millis(step.Took))).In(step.Took)
}

func (w *way) noConnection(ctx context.Context, failed *tunnel.DialError) check.Outcome {
	id := map[tunnel.Reason]string{
		tunnel.ReasonRefused: "NET-REFUSED", tunnel.ReasonTimeout: "NET-TIMEOUT", tunnel.ReasonCut: "NET-RESET",
		tunnel.ReasonNoRoute: "NET-NO-ROUTE", tunnel.ReasonForbidden: "NET-FORBIDDEN",
	}[failed.Reason()]
	switch {
	case id == "":
		id = "NET-TIMEOUT"
	case w.proxy != nil && id == "NET-REFUSED":
		id = "NET-PROXY-REFUSED"
	case w.proxy != nil && id != "NET-FORBIDDEN":
		id = "NET-PROXY-TIMEOUT"
	}
	evidence := w.eachAddress(ctx)
	if len(evidence) == 0 {
		evidence = []string{failed.Err.Error()}
	}
	if w.proxy != nil {
		evidence = append(evidence, "the proxy's setting comes from "+w.Origin)
	}
	return w.fill(check.Fail(id, evidence...))
}

// eachAddress tries every address, and says what became of it: of several, often one alone is open.
func (w *way) eachAddress(ctx context.Context) []string {
	all := w.allAddresses(ctx)
	all = all[:min(len(all), maxAddresses)]
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	said := make([]string, len(all))
	var tries sync.WaitGroup
	for i, address := range all {
		tries.Go(func() { said[i] = w.try(ctx, address) })
	}
	tries.Wait()
	return said
}

func (w *way) try(ctx context.Context, address string) string {
	connect := w.Dialer.Connect
	if connect == nil {
		connect = new(net.Dialer).DialContext
	}
	begin := time.Now()
	conn, err := connect(ctx, "tcp", address)
	took := millis(time.Since(begin))
	if err != nil {
		reason := (&tunnel.DialError{Stage: tunnel.StageTCP, Err: err}).Reason()
		return fmt.Sprintf("%s: %s, after %s", address, inWords(reason, err), took)
	}
	_ = conn.Close() // it was only to see
	return fmt.Sprintf("%s: connected, in %s", address, took)
}

// inWords says what the network did.
func inWords(reason tunnel.Reason, err error) string {
	switch reason {
	case tunnel.ReasonRefused:
		return "the connection was refused"
	case tunnel.ReasonTimeout:
		return "no answer"
	case tunnel.ReasonCut:
		return "the connection was reset"
	case tunnel.ReasonNoRoute:
		return "no route"
	case tunnel.ReasonForbidden:
		return "this machine does not allow it"
	}
	return errorText(err)
}

// errorText is an error without what net puts around it.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}

func millis(d time.Duration) string {
	if d < time.Millisecond {
		return "under 1 ms"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func remote(a net.Addr, address string) string {
	if a == nil {
		return address
	}
	return a.String()
}
