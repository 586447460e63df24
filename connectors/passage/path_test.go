package passage

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPathIsCanonical(t *testing.T) {
	for given, want := range map[string]string{
		"/":                           "/",
		"/api/orders":                 "/api/orders",
		"/api/orders/":                "/api/orders/",
		"/api/.well-known":            "/api/.well-known",
		"/v1.2/a..b/...x":             "/v1.2/a..b/...x",
		"/Orders('45',Line=1)/$value": "/Orders('45',Line=1)/$value",
		"/srv;v=2/Orders":             "/srv;v=2/Orders",
		"/Gr%c3%b6%C3%9Fe":            "/Gr%C3%B6%C3%9Fe",
		"/a%20b":                      "/a%20b",
		"/a:b@c":                      "/a:b@c",
	} {
		if got, err := Path(given); got != want || err != nil {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
}

func TestPathRefuses(t *testing.T) {
	for _, given := range []string{
		"", "api", "//evil.example/a", "http://evil.example/a", "///", "/a//b", "/a//",
		"/..", "/.", "/a/../b", "/a/./b", "/a/..", "/a/.", "/.../b", "/....",
		"/%2e%2e/b", "/%2E%2E", "/.%2e/b", "/%2e", "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/..\\b",
		"/%252e%252e/b", "/a%252fb", "/a%25b",
		"/..;/b", "/..;x=1/b", "/;x/b", "/..%3bx/b", "/%3b", "/a/..%00", "/a%00", "/a%0d%0aHost:x", "/a\r\nb", "/a\x00",
		"/%c0%ae%c0%ae/b", "/%c0%af", "/%ff", // too long for what they are, or no UTF-8
		"/%ef%bc%8e%ef%bc%8e/b", "/a%ef%bc%8fb", "/%e2%80%a5", "/%ef%bc%85", // wide dots, slash, percent
		"/%20", "/..%20", "/.%20.",
		"/a?b=1", "/a#b", "/a b", "/ä", "/[a]", "/a^b", "/a|b", "/a\"b", "/<a>", "/{a}",
		"/%", "/%4", "/%zz", "/%61dmin", "/%2Dx", "/a%7e",
		"/" + strings.Repeat("a", maxPath),
	} {
		if got, err := Path(given); err == nil {
			t.Errorf("%q was taken as %q", given, got)
		}
	}
}

// FuzzPath proves of every path that is taken: it is canonical for good, below any address it stays what it is, and no server
// that decodes it, once or twice, and cleans it comes to another path.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/api/orders", "/a/../b", "/%2e%2e/x", "/Orders('4')/Lines", "//host/a", "/a;b/c%20d/", "/%c0%ae", "/http://a"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://erp.plant.example:8443/base/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, given string) {
		canonical, err := Path(given)
		if err != nil {
			return
		}
		if again, err := Path(canonical); again != canonical || err != nil {
			t.Fatalf("%q is %q, and that %q, %v", given, canonical, again, err)
		}
		to, err := base.Parse("." + canonical + "?a=b")
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || to.User != nil || to.EscapedPath() != "/base"+canonical || to.RawQuery != "a=b" {
			t.Fatalf("%q leads to %v, %v", canonical, to, err)
		}
		read, err := url.PathUnescape(canonical)
		if err != nil || !utf8.ValidString(read) || strings.ContainsAny(read, "\\\x00\r\n") {
			t.Fatalf("%q is read as %q, %v", canonical, read, err)
		}
		if twice, err := url.PathUnescape(read); err != nil || twice != read {
			t.Fatalf("%q is read as %q, and that as %q", canonical, read, twice)
		}
		if clean := path.Clean(read); clean != "/" && clean != strings.TrimSuffix(read, "/") {
			t.Fatalf("%q is cleaned to %q", read, clean)
		}
		if strings.Count(read, "/") != strings.Count(canonical, "/") {
			t.Fatalf("%q is read as %q: more segments", canonical, read)
		}
		for segment := range strings.SplitSeq(strings.Trim(read, "/"), "/") {
			if name, _, _ := strings.Cut(segment, ";"); read != "/" && strings.Trim(name, ".") == "" {
				t.Fatalf("%q has the segment %q", read, segment)
			}
		}
	})
}
