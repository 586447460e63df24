package tunnel

import (
	"io"
	"regexp"
	"strings"
)

// maxWords bounds how much of a foreign answer is read for its words, in bytes: a page has its style in front of them.
const maxWords = 16 << 10

// firstText gives the beginning of a foreign answer, on one line; of a page, its words.
func firstText(body io.Reader) (text string, isPage bool) {
	if body == nil {
		return "", false
	}
	raw, _ := io.ReadAll(io.LimitReader(body, maxWords)) // what could be read of it
	text = string(raw)
	if isPage = page(text); isPage {
		text = pageWords(text)
	}
	return shorten(strings.Join(strings.Fields(text), " "), 200), isPage
}

// page tells HTML from other answers.
func page(text string) bool {
	head := strings.ToLower(text[:min(len(text), 512)])
	return strings.Contains(head, "<html") || strings.Contains(head, "<!doctype") || strings.Contains(head, "<body") || strings.Contains(head, "<title")
}

// What ends a tag, a comment, and the elements whose content nobody reads. Lower-casing a text to find them could change
// its length: what stands here is foreign, and need not even be UTF-8.
var (
	tagEnd     = regexp.MustCompile(`>`)
	commentEnd = regexp.MustCompile(`-->`)
	styleEnd   = regexp.MustCompile(`(?i)</style>`)
	scriptEnd  = regexp.MustCompile(`(?i)</script>`)
)

// pageWords takes the tags away, and what stands in those that nobody reads. What is no proper HTML loses a little more.
func pageWords(text string) string {
	var b strings.Builder
	for text != "" {
		words, rest, _ := strings.Cut(text, "<")
		b.WriteString(words + " ")
		end := tagEnd
		switch name := strings.ToLower(rest[:min(len(rest), 7)]); {
		case strings.HasPrefix(name, "!--"):
			end = commentEnd
		case strings.HasPrefix(name, "style"):
			end = styleEnd
		case strings.HasPrefix(name, "script"):
			end = scriptEnd
		}
		at := end.FindStringIndex(rest)
		if at == nil {
			break
		}
		text = rest[at[1]:]
	}
	return b.String()
}
