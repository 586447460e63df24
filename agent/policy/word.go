package policy

import (
	"runtime"
	"strings"
)

// word writes an argument of an advised command so that the host's shell takes it as one word and nothing else: what it
// holds came from a caller in the cloud, and a person will paste it.
func word(s string) string {
	bare := s != "" && !strings.ContainsFunc(s, special)
	switch {
	case bare:
		return s
	case runtime.GOOS == "windows":
		return `"` + strings.NewReplacer(`"`, "", "%", "", "\n", "", "\r", "").Replace(s) + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func special(r rune) bool {
	switch {
	case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
		return false
	case r == '\\':
		return runtime.GOOS != "windows"
	}
	return !strings.ContainsRune("-_./:", r)
}
