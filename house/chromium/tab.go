package chromium

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Tab is one tab of the browser.
type Tab struct {
	t   testing.TB
	ctx context.Context
}

// Go opens an address, as typing it does.
func (b *Tab) Go(address string) {
	b.t.Helper()
	b.do("open "+address, chromedp.Navigate(address))
}

// Address is what the address bar shows.
func (b *Tab) Address() string {
	b.t.Helper()
	return Eval[string](b, "location.href")
}

// Text is what the page says, without what is hidden.
func (b *Tab) Text() string {
	b.t.Helper()
	return Eval[string](b, "document.body.innerText")
}

// Says waits until the page says all of the words.
func (b *Tab) Says(words ...string) {
	b.t.Helper()
	b.eventually(fmt.Sprintf("the page says %q", words), func() error {
		text, err := eval[string](b, "document.body ? document.body.innerText : ''")
		for _, word := range words {
			if err == nil && !strings.Contains(text, word) {
				err = fmt.Errorf("it lacks %q", word)
			}
		}
		return err
	})
}

// Fill puts a value into a field that only a style selector names, one that is folded away.
func (b *Tab) Fill(selector string, value any) {
	b.t.Helper()
	Eval[bool](b, fmt.Sprintf("(document.querySelector(%q).value = %q) !== undefined", selector, fmt.Sprint(value)))
}

// Eval gives what an expression of the page's own language comes to; a promise is awaited.
func Eval[T any](b *Tab, expression string) T {
	b.t.Helper()
	got, err := eval[T](b, expression)
	if err != nil {
		b.t.Fatalf("evaluate %s: %v", expression, err)
	}
	return got
}

func eval[T any](b *Tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// do does what must succeed.
func (b *Tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := b.try(actions...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

func (b *Tab) try(actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.ctx, ceiling)
	defer cancel()
	return chromedp.Do(ctx, actions...)
}

// eventually looks until it holds. Whatever fails in between may be a page that is just being replaced.
func (b *Tab) eventually(what string, holds func() error) {
	b.t.Helper()
	for begin := time.Now(); ; time.Sleep(30 * time.Millisecond) {
		err := holds()
		if err == nil {
			return
		}
		if time.Since(begin) > ceiling || b.ctx.Err() != nil {
			text, _ := eval[string](b, "location.href + '\\n' + document.body.innerText")
			b.t.Fatalf("%s: not within %s: %v\nThe page is %s", what, ceiling, err, text)
		}
	}
}
