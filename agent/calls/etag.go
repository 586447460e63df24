package calls

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// quoteETag makes a record's etag the strong validator of RFC 9110, section 8.8.3. What may not stand in one is
// percent-encoded: a version may be a time with a space in it.
func quoteETag(tag string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(tag) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// ifMatch reads the condition of a write: empty for none, `*` for any version, or one etag as the record shows it, quoted
// or not. A weak one never matches (RFC 9110, section 13.1.1), and is refused with the reason.
func ifMatch(h http.Header) (string, error) {
	value := strings.TrimSpace(h.Get(wire.HeaderIfMatch))
	switch {
	case value == "" || value == "*":
		return value, nil
	case strings.HasPrefix(value, "W/"):
		return "", refuseETag("a weak etag cannot guard a write: send the record's `etag`, in quotes and without W/")
	case value[0] != '"':
		if strings.ContainsAny(value, `",`) {
			return "", refuseETag("one etag, in quotes, or *")
		}
		return value, nil
	}
	inner, closed := strings.CutSuffix(value[1:], `"`)
	if !closed || strings.Contains(inner, `"`) {
		return "", refuseETag("one etag, in quotes, or *")
	}
	if plain, err := url.PathUnescape(inner); err == nil {
		inner = plain
	}
	return inner, nil
}

func refuseETag(want string) error {
	return fault.New(fault.InvalidRequest, "The If-Match header cannot be used.").Member(wire.HeaderIfMatch, "INVALID", "%s", want)
}
