package chromium

import (
	"encoding/json"
	"fmt"
)

// finder finds an element by what screen readers are told of it, on a page that has loaded. The name is the whole one, or
// how exactly one of that role begins. What has no role in the standard has the name of its tag, as a summary.
const finder = `(role, name) => {
	if (document.readyState !== "complete") throw new Error("the page is loading");
	const all = [...document.querySelectorAll("body *")].filter((e) => (e.computedRole || e.localName) === role && e.checkVisibility({ visibilityProperty: true }));
	const whole = all.find((e) => e.computedName === name);
	const begin = all.filter((e) => e.computedName.startsWith(name));
	if (!whole && begin.length !== 1) throw new Error(begin.length + " begin so of " + JSON.stringify(all.map((e) => e.computedName)));
	return whole ?? begin[0];
}`

// on calls a function with an element, and gives what it gives.
func on[T any](b *Tab, role, name, function string) (T, error) {
	what, err := json.Marshal([]string{role, name})
	if err != nil {
		var none T
		return none, err
	}
	return eval[T](b, fmt.Sprintf("(%s)((%s)(...%s))", function, finder, what))
}

// Sees waits until there is such an element.
func (b *Tab) Sees(role, name string) {
	b.t.Helper()
	b.eventually(fmt.Sprintf("there is the %s %q", role, name), func() error {
		_, err := on[bool](b, role, name, "() => true")
		return err
	})
}

// Has tells whether there is such an element now.
func (b *Tab) Has(role, name string) bool {
	_, err := on[bool](b, role, name, "() => true")
	return err == nil
}
