//go:build browser

package house

import (
	"maps"
	"slices"
	"testing"
	"time"

	"gantry/house/chromium"
)

// maxPage is what a page may weigh on the first visit, with everything that belongs to it, in bytes.
const maxPage = 100_000

// TestBrowserPages looks at every page in light, dark and on a phone: nothing that hinders people who see, hear or point
// otherwise, nothing to scroll sideways, and nothing heavy.
func TestBrowserPages(t *testing.T) {
	s := openShowcase(t)
	tab := chromium.Open(t)
	p := &person{plant: s.plant, tab: tab, hand: chromium.Mouse{Tab: tab}}
	tab.Go(s.url + "/sign-in")
	p.looksGood(t, "sign-in")
	p.signInAt(s.url)
	tab.Sees("heading", "Connections")
	var paints []time.Duration
	for _, name := range slices.Sorted(maps.Keys(s.pages())) {
		t.Run(name, func(t *testing.T) {
			weight := tab.Weigh(s.url + s.pages()[name])
			paints = append(paints, weight.FirstPaint)
			if weight.Bytes == 0 || weight.Bytes > maxPage {
				t.Errorf("it weighs %d bytes", weight.Bytes)
			}
			t.Logf("%d bytes, first paint after %s", weight.Bytes, weight.FirstPaint.Round(time.Millisecond))
			p.looksGood(t, name)
		})
	}
	slices.Sort(paints)
	t.Logf("first paint, the median of %d pages: %s", len(paints), paints[len(paints)/2].Round(time.Millisecond))
}

// looksGood looks at the page that is open, in every look.
func (p *person) looksGood(t *testing.T, name string) {
	t.Helper()
	for _, look := range chromium.Looks() {
		p.tab.Wear(look)
		for _, violation := range p.tab.Violations() {
			t.Errorf("%s, %s: %s", name, look.Name, violation)
		}
		if p.tab.Overflows() {
			t.Errorf("%s, %s: one has to scroll sideways", name, look.Name)
		}
	}
}
