// Package chromium is a person at a real browser, for tests: Debian's Chromium, driven over its debugging protocol.
//
// A person finds things by what they are and are called, as a screen reader tells them (button "Sign in"), never by how
// the page is built. There are two ways to work a page: with the mouse, by coordinates, and with the keyboard alone. Both
// are a Hand, so that one test walks the same road twice.
//
// It looks for Chromium under the name that Debian gives it, starts it with a new profile, lets it call nobody but the
// pages that it is sent to, and fails the test where something is not as expected. It never waits for a time: it looks
// again until what is expected is there, up to a generous ceiling.
package chromium

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// ceiling is how long something may take to appear; it is generous, for slow machines.
const ceiling = 60 * time.Second

// patience is how long the browser may take for one answer.
const patience = 5 * time.Second

// Open starts Chromium and gives its one tab. A machine without it skips the test, unless everything is required.
func Open(t testing.TB) *Tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case err == nil:
	case os.Getenv("GANTRY_REQUIRE_ALL") != "":
		t.Fatal("needs Chromium: apt-get install chromium")
	default:
		t.Skip("needs Chromium: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("enable-blink-features", "ComputedAccessibilityInfo"), // what screen readers are told, as properties
	)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	tab := &Tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // with the context that ends the browser
		t.Fatalf("start Chromium: %v", err)
	}
	tab.do("give the tab the focus", func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return chromedp.Void{}, err
	})
	return tab
}
