package tunnel

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gantry/tunnel/fault"
)

// EchoPath is where the relay tells anybody what it saw of the request (GET).
const EchoPath = Path + "/echo"

// Echo is what the relay saw of a request, and nothing that its sender does not know or may not know: an agent compares
// it with what it sent, to find out who stands between them.
type Echo struct {
	Schema   int    `json:"schema"`
	Remote   string `json:"remote"`                 // the address that it came from: of the agent's firewall, or of a proxy
	Protocol string `json:"protocol"`               // HTTP/1.1
	TLS      bool   `json:"tls"`                    // the relay itself ends the outer TLS
	Exporter string `json:"tls_exporter,omitempty"` // of that TLS, base64: equal at both ends, unless somebody opened it between
	// Headers are those of echoedHeaders that the request had: at most 8 values of each, cut at 200 bytes.
	Headers map[string][]string `json:"headers"`
}

// echoedHeaders are those that tell of the way. No other is given back: a page of another origin must not read through
// us what its reader's browser sent.
var echoedHeaders = []string{"Via", "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "User-Agent", "Connection", "Upgrade", "X-Bluecoat-Via", "X-Zscaler-Transaction-Id"}

// The exporter of the outer TLS (RFC 5705; RFC 9266 explains why two that agree prove one TLS). The label is our own, so
// that what is given to anybody is of no use for a channel binding of others.
const (
	echoLabel  = "EXPERIMENTAL gantry echo"
	echoLength = 32
)

// exporter is the value of a TLS connection; empty where its version has none to give.
func exporter(state *tls.ConnectionState) string {
	value, err := state.ExportKeyingMaterial(echoLabel, nil, echoLength)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(value)
}

// How often the echo is given: to all, and to one address. Those beyond are asked to come back.
const (
	echoesPerSecond = 20
	echoBurst       = 40
	echoPause       = time.Second // for one address, after echoEach at once
	echoEach        = 5
	echoAddresses   = 1024 // that are remembered
)

// EchoHandler serves EchoPath. It takes no login, reads no body, and costs one small answer.
func EchoHandler() http.Handler {
	return &echoer{all: rate.NewLimiter(echoesPerSecond, echoBurst), each: map[netip.Addr]*rate.Limiter{}}
}

type echoer struct {
	all *rate.Limiter

	mu   sync.Mutex
	each map[netip.Addr]*rate.Limiter
}

// ServeHTTP implements http.Handler.
func (e *echoer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet:
		fault.New(fault.MethodNotAllowed, "The echo is read by GET.").Permits(http.MethodGet).Write(w)
		return
	case !e.allows(r.RemoteAddr):
		fault.New(fault.RateLimitExceeded, "Too many ask for an echo.").After(echoPause).Write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(echoOf(r)) // one who went away needs no answer
}

// allows counts a request of an address: an address of its own, but for IPv6 a network of its own.
func (e *echoer) allows(remote string) bool {
	address, err := netip.ParseAddr(hostOf(remote))
	if err != nil {
		return false
	}
	if address = address.Unmap().WithZone(""); address.Is6() {
		address = netip.PrefixFrom(address, 64).Masked().Addr()
	}
	return e.limiter(address).Allow() && e.all.Allow()
}

func (e *echoer) limiter(address netip.Addr) *rate.Limiter {
	e.mu.Lock()
	defer e.mu.Unlock()
	if own, ok := e.each[address]; ok {
		return own
	}
	if len(e.each) >= echoAddresses {
		clear(e.each) // the limit for all holds meanwhile
	}
	own := rate.NewLimiter(rate.Every(echoPause), echoEach)
	e.each[address] = own
	return own
}

func echoOf(r *http.Request) Echo {
	e := Echo{Schema: 1, Remote: r.RemoteAddr, Protocol: r.Proto, TLS: r.TLS != nil, Headers: map[string][]string{}}
	if r.TLS != nil {
		e.Exporter = exporter(r.TLS)
	}
	for _, name := range echoedHeaders {
		for i, value := range r.Header.Values(name) {
			if i < 8 {
				e.Headers[name] = append(e.Headers[name], shorten(value, 200))
			}
		}
	}
	return e
}
