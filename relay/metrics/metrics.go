// Package metrics counts what the relay does, for Prometheus.
//
// Labels come from closed sets (operations, codes, hops), never from a token, a connection or an address: the number of
// series does not grow with use. The registry is the package's own, and is served on an address of its own.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gantry/tunnel"
)

// Metrics holds the counters of one relay.
type Metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

// Sources are asked when somebody reads the metrics.
type Sources struct {
	Sessions func() (sessions, agents int)
	Traffic  func() (in, out int64)
	Arrivals func() tunnel.Arrivals // connections to the tunnel, by result
	Store    func() bool            // the store can be read
}

// New makes the counters of one relay.
func New(from Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gantry_calls_total", Help: "Requests that were answered, by operation, code (OK or an error's) and failing hop.",
		}, []string{"operation", "code", "hop"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gantry_call_seconds", Help: "Time from the request's head to the answer's end.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 120},
		}, []string{"operation"}),
	}
	m.registry.MustRegister(m.calls, m.took, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauge("gantry_sessions", "Live tunnel sessions.", func() float64 { n, _ := from.Sessions(); return float64(n) })
	m.gauge("gantry_agents_connected", "Agents with a live session.", func() float64 { _, n := from.Sessions(); return float64(n) })
	m.gauge("gantry_store_up", "1 where the store can be read.", func() float64 { return truth(from.Store()) })
	m.counter("gantry_tunnel_received_bytes_total", "Bytes received inside the tunnels.", func() float64 { in, _ := from.Traffic(); return float64(in) })
	m.counter("gantry_tunnel_sent_bytes_total", "Bytes sent inside the tunnels.", func() float64 { _, out := from.Traffic(); return float64(out) })
	m.registry.MustRegister(arrivals{from.Arrivals})
	return m
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (m *Metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

func (m *Metrics) counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}

// Call counts one answered request.
func (m *Metrics) Call(operation, code, hop string, took time.Duration) {
	m.calls.WithLabelValues(operation, code, hop).Inc()
	m.took.WithLabelValues(operation).Observe(took.Seconds())
}

// Handler serves the metrics in Prometheus' text form.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
