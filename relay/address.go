package relay

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"gantry/tunnel"
)

// listen takes the addresses, so that a taken one is told at once.
func (r *Relay) listen() (err error) {
	for _, text := range r.config.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("read trusted_proxies: %w", err)
		}
		r.proxies = append(r.proxies, prefix.Masked())
	}
	plain := r.options.Listener
	if plain == nil {
		if plain, err = net.Listen("tcp", r.config.Listen); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	r.listener = tunnel.Listen(plain)
	if r.config.MetricsListen == "" {
		return nil
	}
	if r.counts, err = net.Listen("tcp", r.config.MetricsListen); err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	return nil
}

// addressed sets a request's RemoteAddr to the caller's own address where a proxy that is trusted names it.
func (r *Relay) addressed(next http.Handler) http.Handler {
	if len(r.proxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if peer, err := netip.ParseAddrPort(req.RemoteAddr); err == nil {
			client := r.client(peer.Addr().Unmap(), req.Header.Values("X-Forwarded-For"))
			req.RemoteAddr = netip.AddrPortFrom(client, peer.Port()).String()
		}
		next.ServeHTTP(w, req)
	})
}

// client walks the chain of X-Forwarded-For from its end, where our own proxies wrote, to the first address that is not
// one of them. What stands before it anybody may have written.
func (r *Relay) client(peer netip.Addr, forwarded []string) netip.Addr {
	chain := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(chain) - 1; i >= 0 && r.trusts(peer); i-- {
		address, err := netip.ParseAddr(strings.TrimSpace(chain[i]))
		if err != nil {
			break
		}
		peer = address.Unmap()
	}
	return peer
}

func (r *Relay) trusts(address netip.Addr) bool {
	for _, prefix := range r.proxies {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
