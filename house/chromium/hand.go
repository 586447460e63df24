package chromium

import (
	"errors"
	"fmt"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Hand is a way to work a page. It waits until what it is to touch is there.
type Hand interface {
	// Press presses a button, follows a link, opens what is folded.
	Press(role, name string)
	// Type writes into a field, instead of what stands there.
	Type(role, name, text string)
}

// Mouse works by moving to the middle of an element and clicking there; only what is written is typed.
type Mouse struct{ *Tab }

// Press implements Hand.
func (m Mouse) Press(role, name string) {
	m.t.Helper()
	m.click(role, name)
}

// Type implements Hand: three clicks mark what stands in the field, and typing replaces it.
func (m Mouse) Type(role, name, text string) {
	m.t.Helper()
	m.click(role, name, chromedp.ClickCount(3))
	m.do("type into "+name, chromedp.KeyEvent(text))
}

// middle scrolls to an element and gives its middle, and whether nothing else lies there.
const middle = `(e) => {
	e.scrollIntoView({ block: "center", behavior: "instant" });
	const box = e.getClientRects()[0];
	const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
	return { x, y, clear: e.contains(document.elementFromPoint(x, y)) };
}`

func (m Mouse) click(role, name string, how ...chromedp.MouseOption) {
	m.t.Helper()
	m.eventually(fmt.Sprintf("the mouse reaches the %s %q", role, name), func() error {
		at, err := on[struct {
			X, Y  float64
			Clear bool
		}](m.Tab, role, name, middle)
		switch {
		case err != nil:
			return err
		case !at.Clear:
			return errors.New("something lies over it")
		}
		return m.try(chromedp.MouseClickXY(at.X, at.Y, how...))
	})
}

// Keyboard works by pressing Tab until an element has the focus, and then the key that works it.
type Keyboard struct{ *Tab }

// maxTabs bounds the search; no page of a test has so many stops.
const maxTabs = 150

// Press implements Hand.
func (k Keyboard) Press(role, name string) {
	k.t.Helper()
	k.reach(role, name)
	key := kb.Enter
	if role == "checkbox" {
		key = " "
	}
	k.do("press "+name, chromedp.KeyEvent(key))
}

// Type implements Hand.
func (k Keyboard) Type(role, name, text string) {
	k.t.Helper()
	k.reach(role, name)
	k.do("mark what stands in "+name, chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	k.do("type into "+name, chromedp.KeyEvent(text))
}

// begin remembers the element that is wanted; ring says how one sees that it has the focus, and nothing where it has not.
const (
	begin = `(e) => { window.gantryWanted = e; return true; }`
	ring  = `(() => {
		const e = window.gantryWanted;
		if (!e.isConnected) throw new Error("the page was replaced");
		if (document.activeElement !== e) return "";
		const style = getComputedStyle(e);
		return style.outlineStyle === "none" ? style.boxShadow : style.outlineStyle;
	})()`
)

// reach presses Tab until the element has the focus, and checks that one sees where the focus is.
func (k Keyboard) reach(role, name string) {
	k.t.Helper()
	k.eventually(fmt.Sprintf("the keyboard reaches the %s %q", role, name), func() error {
		if _, err := on[bool](k.Tab, role, name, begin); err != nil {
			return err
		}
		for range maxTabs {
			switch seen, err := eval[string](k.Tab, ring); {
			case err != nil:
				return err
			case seen == "none":
				k.t.Errorf("one does not see that the %s %q has the focus", role, name)
				return nil
			case seen != "":
				return nil
			}
			if err := k.try(chromedp.KeyEvent(kb.Tab)); err != nil {
				return err
			}
		}
		return fmt.Errorf("it is none of %d stops", maxTabs)
	})
}
