//go:build browser

package house

import (
	"slices"
	"testing"
	"time"

	"gantry/house/chromium"
)

// maxPage is what a page may weigh on the first visit, with everything that belongs to it, in bytes.
const maxPage = 100_000

// TestBrowserPages looks at everything that there is to see, in light, dark and on a phone: nothing that hinders people who
// see, hear or point otherwise, nothing to scroll sideways, and nothing heavy.
func TestBrowserPages(t *testing.T) {
	p := visitor(t, openRelay(t))
	var weights []chromium.Weight
	looks := func(t *testing.T, s sight) {
		if s.path != "" {
			weight := p.tab.Weigh(p.url + s.path)
			weights = append(weights, weight)
			if weight.Bytes == 0 || weight.Bytes > maxPage {
				t.Errorf("it weighs %d bytes", weight.Bytes)
			}
			t.Logf("%d bytes, first paint after %s", weight.Bytes, weight.FirstPaint.Round(time.Millisecond))
		}
		p.looksGood(t)
	}
	p.look(t, beginnings(), looks)

	s := openShowcase(t)
	p.plant = s.plant
	p.signInAt(s.url)
	p.tab.Sees("heading", "Connections")
	p.look(t, s.sights(), looks)
	if len(weights) == 0 { // a part of it was asked for
		return
	}
	heaviest := slices.MaxFunc(weights, func(a, b chromium.Weight) int { return int(a.Bytes - b.Bytes) })
	slices.SortFunc(weights, func(a, b chromium.Weight) int { return int(a.FirstPaint - b.FirstPaint) })
	t.Logf("%d pages: the heaviest has %d bytes; first paint after %s in the median, %s at the latest", len(weights), heaviest.Bytes,
		weights[len(weights)/2].FirstPaint.Round(time.Millisecond), weights[len(weights)-1].FirstPaint.Round(time.Millisecond))
}

// looksGood looks at the page that is open, in every look.
func (p *person) looksGood(t *testing.T) {
	t.Helper()
	for _, look := range chromium.Looks() {
		p.tab.Wear(look)
		for _, violation := range p.tab.Violations() {
			t.Errorf("%s: %s", look.Name, violation)
		}
		if p.tab.Overflows() {
			t.Errorf("%s: one has to scroll sideways", look.Name)
		}
	}
}
