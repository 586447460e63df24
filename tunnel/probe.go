package tunnel

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"gantry/tunnel/pki"
)

// Step is one stage of the way to the relay that was gone, and what was met there.
type Step struct {
	Stage   Stage
	Address string // whom it was with: host and port
	Proxy   bool   // whether that was the proxy
	Took    time.Duration
	Login   string // proxy: the scheme by which we logged in; empty: it asked for none

	Remote net.Addr             // tcp: the address that was reached
	TLS    *tls.ConnectionState // tls: what was agreed on
	At     time.Time            // websocket: when the answer came,
	Header http.Header          // and its header
}

// Probe goes the whole way to the relay, to its proof of itself, and hangs up: no agent shows itself, so the sessions of one
// that runs are not touched. With no Pin it takes whatever relay proves itself there. It gives the steps that succeeded,
// in order, and the error of Dial for the one that did not. A step with the relay through a proxy follows those with the proxy.
func (d *Dialer) Probe(ctx context.Context) ([]Step, error) {
	var steps []Step
	probe := *d
	probe.trace = func(s Step) { steps = append(steps, s) }
	_, sock, err := probe.dial(ctx, &tls.Config{NextProtos: []string{protocolEnrol}})
	if err != nil {
		return steps, err
	}
	return steps, sock.Close()
}

// step tells of a stage that succeeded, begun at begin.
func (d *Dialer) step(begin time.Time, s Step) {
	if d.trace != nil {
		s.Took = time.Since(begin)
		d.trace(s)
	}
}

// trusted is the pin that a relay's chain is to have: ours, or for a probe without one its own.
func (d *Dialer) trusted(state tls.ConnectionState) pki.Pin {
	if chain := state.PeerCertificates; d.trace != nil && d.Pin == (pki.Pin{}) && len(chain) > 0 {
		return pki.PinOf(chain[len(chain)-1])
	}
	return d.Pin
}
