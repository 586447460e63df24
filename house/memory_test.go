package house

import (
	"sync"
	"sync/atomic"
	"time"
)

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// watchMemory samples both programs' resident memory until it is stopped.
func (p *plant) watchMemory() (peak *[2]atomic.Int64, stop func()) {
	peak = new([2]atomic.Int64)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			for i, d := range []*daemon{p.relay, p.agent} {
				peak[i].Store(max(peak[i].Load(), d.resident()))
			}
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return peak, func() { close(done); watching.Wait() }
}
