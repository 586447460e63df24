package passage

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxPath bounds a path, in bytes.
const maxPath = 2000

var (
	errPathStart   = errors.New("must begin with one slash, and hold no host")
	errPathLong    = errors.New("is longer than 2000 bytes")
	errPathEscape  = errors.New("an escape is none, or stands for a letter, digit, dot, dash, underscore or tilde, which are written as they are")
	errPathSign    = errors.New("holds a sign that must be escaped, or is no UTF-8; what follows a ? belongs into `query`")
	errPathHidden  = errors.New("an escape stands for a slash, a backslash, a percent sign or a control character, which no policy could judge")
	errPathSegment = errors.New("has an empty segment, or one of dots")
)

// Path gives the one canonical form of a path: what is judged is what is sent, and no server can take it for another path. It
// has no empty segments but a last one, no dots for segments, no escape without need, and none for what servers like to take
// apart again.
func Path(path string) (string, error) {
	switch {
	case len(path) > maxPath:
		return "", errPathLong
	case !strings.HasPrefix(path, "/"):
		return "", errPathStart
	}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		canonical, err := canonicalSegment(segment)
		if err == nil && (canonical != "" || i < len(segments)-1) {
			err = checkName(canonical)
		}
		if err != nil {
			return "", err
		}
		segments[i] = canonical
	}
	return "/" + strings.Join(segments, "/"), nil
}

// canonicalSegment writes escapes in capitals, and refuses what is not escaped as it has to be: RFC 3986, 3.3 and 6.2.2.
func canonicalSegment(segment string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		switch {
		case c == '%' && i+2 < len(segment):
			octet, err := url.PathUnescape(segment[i : i+3])
			if err != nil || unreserved(octet[0]) {
				return "", errPathEscape
			}
			if octet[0] < ' ' || octet[0] == 0x7f || strings.ContainsAny(octet, `/\%`) {
				return "", errPathHidden
			}
			b.WriteString(strings.ToUpper(segment[i : i+3]))
			i += 2
		case c == '%':
			return "", errPathEscape
		case unreserved(c) || strings.IndexByte("!$&'()*+,;=:@", c) >= 0:
			b.WriteByte(c)
		default:
			return "", errPathSign
		}
	}
	return b.String(), nil
}

func unreserved(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("-._~", c) >= 0
}

// checkName refuses a segment that a server might read as another: without its parameters (a;x=1) it is empty or dots, it is no
// UTF-8, or it holds signs that are slashes or dots in a narrower alphabet.
func checkName(segment string) error {
	text, err := url.PathUnescape(segment)
	if err != nil || !utf8.ValidString(text) {
		return errPathSign
	}
	narrow := norm.NFKC.String(text)
	if strings.Count(narrow, "/")+strings.Count(narrow, `\`)+strings.Count(narrow, "%") > 0 {
		return errPathHidden
	}
	name, _, _ := strings.Cut(narrow, ";")
	if strings.Trim(name, ". ") == "" {
		return errPathSegment
	}
	return nil
}
