package bundle

import (
	"bytes"
	"math"
	"runtime/metrics"
	"runtime/pprof"

	"gantry/tunnel/check"
)

// Metric is one of the Go runtime's.
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`         // of a histogram: how many it counts
	P50   float64 `json:"p50,omitempty"` // of a histogram
	P99   float64 `json:"p99,omitempty"`
}

// Metrics reads the runtime's metrics.
func Metrics() []Metric {
	descriptions := metrics.All()
	samples := make([]metrics.Sample, len(descriptions))
	for i, d := range descriptions {
		samples[i].Name = d.Name
	}
	metrics.Read(samples)
	var all []Metric
	for _, s := range samples {
		m := Metric{Name: s.Name}
		switch s.Value.Kind() {
		case metrics.KindUint64:
			m.Value = float64(s.Value.Uint64())
		case metrics.KindFloat64:
			m.Value = s.Value.Float64()
		case metrics.KindFloat64Histogram:
			m.Value, m.P50, m.P99 = summary(s.Value.Float64Histogram())
		default:
			continue
		}
		all = append(all, m)
	}
	return all
}

// summary gives a histogram's count and two of its quantiles, as the upper ends of their buckets.
func summary(h *metrics.Float64Histogram) (count, p50, p99 float64) {
	var sum uint64
	for _, n := range h.Counts {
		sum += n
	}
	return float64(sum), quantile(h, sum, 0.5), quantile(h, sum, 0.99)
}

func quantile(h *metrics.Float64Histogram, sum uint64, q float64) float64 {
	var seen uint64
	for i, n := range h.Counts {
		seen += n
		if end := h.Buckets[i+1]; seen > 0 && float64(seen) >= q*float64(sum) && !math.IsInf(end, 0) {
			return end
		}
	}
	return 0
}

// Goroutines writes down what every goroutine does.
func Goroutines() []byte {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 2); err != nil {
		return nil
	}
	return b.Bytes()
}

// reportText is the report as `gantry-agent doctor` prints it.
func reportText(r *check.Report) []byte {
	if r == nil {
		return nil
	}
	var b bytes.Buffer
	if err := check.WriteText(&b, *r, check.Style{}); err != nil {
		return nil
	}
	return b.Bytes()
}
