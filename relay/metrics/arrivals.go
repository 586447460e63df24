package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"gantry/tunnel"
)

// arrivals counts how connections to the tunnel went. The acceptor keeps the counts; its results are a closed set.
type arrivals struct{ read func() tunnel.Arrivals }

var _ prometheus.Collector = arrivals{}

func describeArrivals() *prometheus.Desc {
	return prometheus.NewDesc("gantry_tunnel_arrivals_total",
		"Connections to the tunnel, by result: session, enrolment, failed, or the code of the refusal.", []string{"result"}, nil)
}

// Describe implements prometheus.Collector.
func (arrivals) Describe(to chan<- *prometheus.Desc) { to <- describeArrivals() }

// Collect implements prometheus.Collector.
func (a arrivals) Collect(to chan<- prometheus.Metric) {
	for result, n := range a.read() {
		to <- prometheus.MustNewConstMetric(describeArrivals(), prometheus.CounterValue, float64(n), result)
	}
}
