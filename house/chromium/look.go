package chromium

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Look is how the page is looked at.
type Look struct {
	Name          string
	Width, Height int64
	Dark          bool
}

// Looks are the ways in which every page has to be good.
func Looks() []Look {
	return []Look{{"light", 1280, 800, false}, {"dark", 1280, 800, true}, {"phone", 390, 844, false}}
}

// Wear looks at the page so, from now on.
func (b *Tab) Wear(l Look) {
	b.t.Helper()
	scheme := "light"
	if l.Dark {
		scheme = "dark"
	}
	b.do("look at the page as on a "+l.Name, chromedp.EmulateViewport(l.Width, l.Height), func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return chromedp.Void{}, err
	})
}

// Picture is the page as a PNG, to its end.
func (b *Tab) Picture() []byte {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, ceiling)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatalf("picture: %v", err)
	}
	return png
}

// Overflows tells whether the page is wider than the window, so that one has to scroll sideways.
func (b *Tab) Overflows() bool {
	b.t.Helper()
	return Eval[bool](b, "document.documentElement.scrollWidth > document.documentElement.clientWidth")
}
