package main

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"gantry/tunnel/check"
)

// TestFindingsNameCommandsThatExist: a fix is a command that can be copied.
func TestFindingsNameCommandsThatExist(t *testing.T) {
	named := regexp.MustCompile("`(?:\\./)?gantry-agent ([^`]*)`")
	for _, f := range check.Findings() {
		for _, match := range named.FindAllStringSubmatch(f.Cause+f.Fix, -1) {
			root := newApp(strings.NewReader(""), io.Discard, io.Discard).commands()
			cmd, rest, err := root.Find(strings.Fields(match[1]))
			if err != nil || cmd == root {
				t.Errorf("%s: there is no command %q", f.ID, match[1])
				continue
			}
			for _, word := range rest {
				if name, ok := strings.CutPrefix(word, "--"); ok && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s: %q has no flag %s", f.ID, match[1], word)
				}
			}
		}
	}
}
