package tunnel

import (
	"strings"
	"testing"
)

func TestFirstText(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"plain  words\nof a < stranger": "plain words of a < stranger",
		"<html><head><title>Access denied</title><style>b{color:red}</style></head><body class=x>Blocked:<br>category <b>OT</b></body></html>": "Access denied Blocked: category OT",
		"<!DOCTYPE html><!-- <b>never</b> --><SCRIPT>if (a<b) c()</SCRIPT>Hello":                                                               "Hello",
		"<html><body>cut in a <ta":              "cut in a",
		"<html><style>never ends":               "",
		"<html>" + strings.Repeat("x", 1000):    strings.Repeat("x", 200),
		`{"detail":"a page with <html> in it"}`: `{"detail":"a page with in it"}`,
	} {
		if got, _ := firstText(strings.NewReader(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got, _ := firstText(nil); got != "" {
		t.Error("nothing has no words")
	}
}

func FuzzFirstText(f *testing.F) {
	f.Add("<html><style></style>x")
	f.Fuzz(func(t *testing.T, text string) {
		if got, _ := firstText(strings.NewReader(text)); len(got) > 200 || strings.ContainsAny(got, "\n\r\t") {
			t.Errorf("%q", got)
		}
	})
}
