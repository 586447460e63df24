package chromium

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Weight is what a page costs on its first visit.
type Weight struct {
	Bytes      int64         // over the network, heads and everything that the page asks for included
	FirstPaint time.Duration // from the beginning of the visit until something is seen
}

// Weigh opens an address with nothing in the browser's cache.
func (b *Tab) Weigh(address string) Weight {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	var bytes atomic.Int64
	err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*network.EventLoadingFinished); ok {
			bytes.Add(int64(e.EncodedDataLength))
		}
	})
	if err != nil {
		b.t.Fatalf("weigh %s: %v", address, err)
	}
	b.do("empty the cache", func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
		return chromedp.Void{}, err
	})
	b.Go(address)
	paint := Eval[float64](b, `new Promise((seen) => new PerformanceObserver((list) => seen(list.getEntries()[0].startTime)).observe({ type: "paint", buffered: true }))`)
	return Weight{bytes.Load(), time.Duration(paint * float64(time.Millisecond))}
}
