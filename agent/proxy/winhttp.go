package proxy

import (
	"path"
	"strings"
)

// What WinHTTP writes, read in Go: it is the same on every system, and tested on any.

// named reads a list of proxies ("proxy:8080", "http=a:80;https=b:443", "a:80 b:80"): the one for HTTPS, else the first
// that is for all; empty: none.
func named(list string) string {
	for _, scheme := range []string{"https=", ""} {
		for _, entry := range entries(list) {
			if value, ok := strings.CutPrefix(strings.ToLower(entry), scheme); ok && !strings.Contains(value, "=") {
				return value
			}
		}
	}
	return ""
}

// skips tells whether a bypass list ("*.plant.local;10.*;<local>") names a host.
func skips(list, host string) bool {
	host = strings.ToLower(host)
	for _, entry := range entries(list) {
		entry = strings.ToLower(entry)
		if entry == "<local>" {
			if !strings.Contains(host, ".") {
				return true
			}
			continue
		}
		entry = strings.TrimPrefix(strings.TrimPrefix(entry, "https://"), "http://")
		if match, err := path.Match(entry, host); err == nil && match {
			return true
		}
	}
	return false
}

// entries splits at semicolons and white space.
func entries(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ';' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
}
