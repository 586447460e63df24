package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gantry/agent/control"
	"gantry/tunnel"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// Session is a session with the relay; *tunnel.Session is one.
type Session interface {
	RoundTripper() http.RoundTripper
	Ping(ctx context.Context) (time.Duration, error)
	Done() <-chan struct{}
	Err() error
	Close(reason string)
}

// Road is the way to the relay, and who goes it.
type Road struct {
	Relay   string // its URL; empty: none is known
	NoRelay string // why none is, in words

	// Dialer is the agent's own: proxy, certificates, pin. Its Identity is not used.
	Dialer *tunnel.Dialer
	// Origin says where the proxy's setting comes from, or why there is none.
	Origin string
	// CAFile is the file of extra certificates that the dialer was given; empty: none.
	CAFile string

	// Sessions are those of the agent that runs; nil: none runs.
	Sessions func(context.Context) ([]control.Session, error)
	// Open opens a session with the agent's identity, or lends one of the agent that runs; nil: there is no identity to
	// show, NoIdentity says why.
	Open       func(context.Context) (Session, error)
	NoIdentity string

	Deep     bool // also what takes minutes
	Resolver *net.Resolver
}

// probeLimit is the time for the whole way; the stages have limits of their own.
const probeLimit = 15 * time.Second

// way is a road while it is looked at. The checks need each other in order, so each finds here what those before it met.
type way struct {
	Road
	relay, proxy *url.URL
	addresses    []string // of whom is dialled first
	steps        []tunnel.Step
	err          error // of the probe
}

// next is who is dialled first: the proxy, or the relay.
func (w *way) next() *url.URL {
	if w.proxy != nil {
		return w.proxy
	}
	return w.relay
}

// Checks gives the checks of the road.
func (r Road) Checks() []check.Check {
	w := &way{Road: r}
	checks := []check.Check{
		{Name: "network.proxy", Title: "Proxy setting", Run: w.checkProxy},
		{Name: "network.dns", Title: "Name", Needs: []string{"network.proxy"}, Run: w.checkDNS},
		{Name: "network.tcp", Title: "Connection", Needs: []string{"network.dns"}, Run: w.checkTCP},
		{Name: "network.connect", Title: "Through the proxy", Needs: []string{"network.tcp"}, Run: w.checkConnect},
		{Name: "network.tls", Title: "TLS", Needs: []string{"network.connect"}, Run: w.checkTLS},
		{Name: "network.inspection", Title: "TLS inspection", Needs: []string{"network.tls"}, Run: w.checkInspection},
		{Name: "network.websocket", Title: "Websocket", Needs: []string{"network.tls"}, Run: w.checkWebSocket},
		{Name: "network.proof", Title: "Relay's proof", Needs: []string{"network.websocket"}, Run: w.checkProof},
		{Name: "host.clock", Title: "Clock", Needs: []string{"network.websocket"}, Run: w.checkClock},
		{Name: "relay.accepted", Title: "Accepted", Needs: []string{"network.proof"}, Run: w.checkAccepted},
		{Name: "network.session", Title: "Session", Needs: []string{"relay.accepted"}, Run: w.checkSession},
	}
	if r.Deep {
		checks = append(checks,
			check.Check{Name: "network.throughput", Title: "Throughput", Needs: []string{"network.session"}, Run: w.checkThroughput},
			check.Check{Name: "network.idle", Title: "Quiet for 65 s", Needs: []string{"network.session"}, Limit: idleTime + 10*time.Second, Run: w.checkIdle})
	}
	for i := range checks {
		checks[i].Hop = fault.HopTunnel
	}
	return checks
}

// Network gives those of the checks that need no agent: the network, up to the relay's proof.
func (r Road) Network() []check.Check {
	return slices.DeleteFunc(r.Checks(), func(c check.Check) bool {
		return c.Group() != "network" || slices.Contains(c.Needs, "relay.accepted") || slices.Contains(c.Needs, "network.session")
	})
}

// Limit is the time that a run of the road needs.
func (r Road) Limit() time.Duration {
	if r.Deep {
		return 20*time.Second + idleTime + 10*time.Second
	}
	return 20 * time.Second
}

func (w *way) checkProxy(context.Context) check.Outcome {
	if w.Relay == "" {
		return check.Skip(w.NoRelay)
	}
	relay, proxy, err := w.Dialer.Way()
	if failed, ok := errors.AsType[*tunnel.DialError](err); ok {
		return check.Fail("NET-PROXY-SETTING", failed.Err.Error(), "the setting comes from "+w.Origin)
	}
	if err != nil {
		return check.Fail("NET-RELAY-URL", err.Error())
	}
	w.relay, w.proxy = relay, proxy
	if proxy == nil {
		return check.Pass("none: straight to "+tunnel.WithPort(relay), w.Origin)
	}
	return check.Pass(tunnel.WithPort(proxy) + ", from " + w.Origin)
}

// step gives what the probe met at a stage, with the proxy or the relay; nil: it did not get so far, or the stage was not needed.
func (w *way) step(stage tunnel.Stage, proxy bool) *tunnel.Step {
	for i := range w.steps {
		if w.steps[i].Stage == stage && w.steps[i].Proxy == proxy {
			return &w.steps[i]
		}
	}
	return nil
}

// failed gives the probe's error where it is of the stage, with the proxy or the relay; nil: it is not.
func (w *way) failed(stage tunnel.Stage, proxy bool) *tunnel.DialError {
	if e, ok := errors.AsType[*tunnel.DialError](w.err); ok && e.Stage == stage && e.Proxy == proxy {
		return e
	}
	return nil
}

// known are the addresses of whom is dialled first, in words that stand behind its name.
func (w *way) known() string {
	if len(w.addresses) == 0 {
		return ""
	}
	return " (now " + strings.Join(w.addresses, ", ") + ")"
}

// fill gives an outcome the values that findings of the network speak of.
func (w *way) fill(o check.Outcome) check.Outcome {
	o = o.With("host", w.relay.Hostname()).With("relay", tunnel.WithPort(w.relay)).With("from", w.source()).With("addresses", w.known())
	if w.proxy != nil {
		o = o.With("proxy", tunnel.WithPort(w.proxy))
	}
	return o
}
