package proof

import "regexp"

// Gap stands where a secret stood.
const Gap = "[redacted]"

// Redact gives the text with a Gap for every secret in it, and how many there were. Where one takes the letters around it with it (the
// letters of base64 hold parts of two bytes), those go too.
func (s *Scanner) Redact(text []byte) ([]byte, int) {
	found := s.Find(text)
	if len(found) == 0 {
		return text, 0
	}
	result := make([]byte, 0, len(text))
	at := 0
	for _, f := range found {
		result = append(append(result, text[at:f.From]...), Gap...)
		at = f.To
	}
	return append(result, text[at:]...), len(found)
}

// Habits are the ways in which programs write logins down; the group that is kept comes first. They catch secrets that nobody told us.
var habits = []*regexp.Regexp{
	regexp.MustCompile(`(://[^\s/:@"'\[\]]*:)[^\s/@"']+(?:@)`),
	regexp.MustCompile(`(?i)(\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:basic|bearer|digest|ntlm|negotiate)\s+)[A-Za-z0-9+/=._~-]+`),
	regexp.MustCompile(`(?i)(\b(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key)["']?\s*[:=]\s*)(?:"[^"\n]*"|'[^'\n]*'|[^\s"',;&]+)`),
	regexp.MustCompile(`(\bg(?:et|ok|ct)_)[A-Za-z0-9_-]{12,}`),
}

// Habitual gives a foreign text, such as a log, without what looks like a login, whosever it is.
func Habitual(text []byte) []byte {
	for i, habit := range habits {
		keep := "${1}" + Gap
		if i == 0 {
			keep += "@"
		}
		text = habit.ReplaceAll(text, []byte(keep))
	}
	return text
}
