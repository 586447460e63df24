// Package tunnel is the road between an agent and its relay: what both ends share.
//
// The agent dials (Dialer), the relay accepts (Acceptor), and each gets a Session, over which either may call the other
// with plain HTTP. Inside out, one connection is
//
//	HTTP/1.1        net/http at both ends, one stream per call under way (roundtrip.go, serve.go)
//	yamux           many streams, each with its own flow control     (mux.go, the only file that knows yamux)
//	outbox          gathers small writes into few large ones          (outbox.go)
//	hello, welcome  who the agent is; a refusal tells its reason      (hello.go)
//	TLS 1.3         mutual, by the relay's own authority              (package pki)
//	websocket       what proxies and load balancers let through       (socket.go, the only file that knows websocket)
//	link            deadlines, and one write per websocket message    (link.go)
//	TLS, TCP        whatever the way needs: HTTPS, a CONNECT proxy    (dialer.go, proxy.go)
//
// The inner TLS is the one that is trusted. A proxy that inspects the outer one, or a load balancer that ends it, can
// carry the traffic and can neither read nor forge it.
//
// The package knows nothing of connectors, connections or paths; who may come in is decided by Acceptor.Admit, and what
// is served by the handlers that it is given. It keeps no state beyond its sessions, and reads no clock but its own.
package tunnel

import "crypto/tls"

// Path is where the relay takes the websocket.
const Path = "/tunnel"

// innerCurves is the inner TLS' key exchange, at both ends: what is recorded today stays closed to a quantum computer,
// and P-256 is the curve of the certificates, and a quarter faster in Go than X25519.
var innerCurves = []tls.CurveID{tls.SecP256r1MLKEM768}

// Application protocols of the inner TLS (ALPN). A newer form of the tunnel takes a new name.
const (
	protocol      = "gantry/1"
	protocolEnrol = "gantry-enrol/1" // no client certificate: one HTTP request, then closed
)
