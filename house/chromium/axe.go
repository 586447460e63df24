package chromium

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// axePath is where npm puts axe-core, beside this file.
const axePath = "node_modules/axe-core/axe.min.js"

// Violations are what axe-core, the accessibility engine of browsers' own tools, finds wrong with the page: by the
// success criteria of WCAG 2.2 up to AA, and by its best practices.
func (b *Tab) Violations() []string {
	b.t.Helper()
	if !Eval[bool](b, "typeof axe === 'object'") {
		if _, err := eval[bool](b, b.axe()+"; true"); err != nil {
			b.t.Fatalf("load axe-core: %v", err)
		}
	}
	return Eval[[]string](b, `axe.run().then((found) => found.violations.flatMap((v) =>
		v.nodes.map((n) => v.id + ": " + v.help + ": " + n.html.slice(0, 200) + " " + n.failureSummary)))`)
}

func (b *Tab) axe() string {
	b.t.Helper()
	_, here, _, _ := runtime.Caller(0)
	source, err := os.ReadFile(filepath.Join(filepath.Dir(here), axePath))
	switch {
	case err == nil:
		return string(source)
	case os.Getenv("GANTRY_REQUIRE_ALL") != "":
		b.t.Fatal(fmt.Errorf("needs axe-core: npm ci --prefix house/chromium: %w", err))
	default:
		b.t.Skip("needs axe-core: npm ci --prefix house/chromium")
	}
	return ""
}
