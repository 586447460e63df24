package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"gantry/tunnel"
)

// Request is what to ask the firewall or proxy team for: ready to send.
type Request struct {
	From      string   `json:"from"` // this machine: name and address
	Host      string   `json:"host"`
	Port      string   `json:"port"`
	Protocol  string   `json:"protocol"`
	Addresses []string `json:"addresses"`       // of the host, as this machine resolves it now; empty: it does not
	Proxy     string   `json:"proxy,omitempty"` // host:port; empty: the way is direct
	Text      string   `json:"text"`            // the whole, to be sent
}

// Request puts the request together. It needs the road's relay to be known; a name that does not resolve is no failure,
// since a proxy may resolve it.
func (r Road) Request(ctx context.Context) (Request, error) {
	relay, proxy, err := r.Dialer.Way()
	if err != nil {
		return Request{}, err
	}
	w := &way{Road: r, relay: relay, proxy: proxy}
	q := Request{From: w.source(), Host: relay.Hostname(), Protocol: "websocket over HTTP (ws)", Addresses: []string{}}
	if relay.Scheme == "https" {
		q.Protocol = "websocket over TLS (wss)"
	}
	_, q.Port, _ = net.SplitHostPort(tunnel.WithPort(relay)) // it has both
	if proxy != nil {
		q.Proxy = tunnel.WithPort(proxy)
	}
	addresses, err := w.resolver().LookupNetIP(ctx, "ip", q.Host)
	if err == nil {
		for _, a := range addresses {
			q.Addresses = append(q.Addresses, a.Unmap().String())
		}
	}
	q.Text = q.text()
	return q, nil
}

func (q Request) text() string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "  %-10s  %s\n", name, value) }
	b.WriteString("Please allow this outgoing connection:\n\n")
	line("from", q.From)
	line("to", q.Host+", TCP port "+q.Port)
	line("addresses", cmp.Or(strings.Join(q.Addresses, ", "), "not known here")+" (may change: allow the name)")
	line("protocol", q.Protocol+", path "+tunnel.Path)
	line("direction", "outgoing only; nothing connects to this machine")
	line("duration", "it stays open all the time; please set no limit to its age")
	if q.Proxy != "" {
		line("proxy", q.Proxy+": allow CONNECT "+net.JoinHostPort(q.Host, q.Port))
	} else {
		line("proxy", "none is set; if one is needed: CONNECT "+net.JoinHostPort(q.Host, q.Port))
	}
	line("websocket", "the headers Upgrade and Connection must be passed on")
	line("inspection", "not needed, please exempt the host. If TLS must be inspected, the")
	line("", "agent works through it with the inspector's root certificate; the")
	line("", "traffic inside is encrypted once more, and stays closed to it")
	return b.String()
}

func (w *way) resolver() *net.Resolver {
	if w.Resolver != nil {
		return w.Resolver
	}
	return net.DefaultResolver
}

// source is this machine, as a firewall's people know it: its name and the address from which it goes that way.
func (w *way) source() string {
	name, err := os.Hostname()
	if err != nil {
		name = "this machine"
	}
	// A datagram socket sends nothing when it is connected; it only asks the routes.
	conn, err := new(net.Dialer).Dial("udp", tunnel.WithPort(w.next()))
	if err != nil {
		return name
	}
	defer conn.Close() //nolint:errcheck // nothing was sent
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok || local.IP.IsLoopback() && !w.here() {
		return name // a blocked name leads here, and tells nothing of the way
	}
	return name + " (" + local.IP.String() + ")"
}

// here tells whether whom we dial is on this machine.
func (w *way) here() bool {
	address, err := netip.ParseAddr(w.next().Hostname())
	return local(w.next().Hostname()) || err == nil && address.IsLoopback()
}
