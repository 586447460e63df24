// Package proof finds secrets in bytes, in whatever form they were written down: it is what proves that a bundle holds none.
//
// A Scanner is made of the secrets that the agent knows. It looks for each as it is and as the usual encoders write it (needles),
// in the text and in what the text says when it is decoded (views.go): percent signs, backslashes, entities, base64 in either
// alphabet at any alignment, hex digits, lists of numbers, texts with NULs between their letters, and up to three of these within one
// another. So a password is found in a DSN in an error in JSON, and a key in the base64 of a Secret of Kubernetes.
//
// Secrets shorter than MinLength are not looked for: they would be found by chance in every archive (Scanner.Short counts
// them). Those shorter than long are not looked for in what was decoded twice, where the noise of base64 makes chance likely.
//
// The package keeps secrets in memory alone. A Finding says where and which, by name; never what.
package proof

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"html"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// MinLength is the length of the shortest secret that is looked for, in bytes.
const MinLength = 4

// long is the length from which a secret is looked for in every view.
const long = 8

// depth is how many encodings may lie within one another.
const depth = 3

// window is the piece of a text that is looked at in one go, and overlap what two neighbours share: a secret in its longest form
// (six bytes for each of its own) lies whole in one of them.
const (
	window  = 256 << 10
	overlap = 48 << 10
)

// Secret is what must not leave.
type Secret struct {
	Name  string // for people: the login of connection con_1
	Value []byte
}

// Finding is a place where a secret stands.
type Finding struct {
	From, To int
	Name     string
}

// Scanner looks for a set of secrets. It is safe for concurrent use.
type Scanner struct {
	short int
	known int
	first [1 << 13]uint64 // which hashes of first four bytes occur
	by    map[uint32][]needle
}

// needle is one form of a secret.
type needle struct {
	text []byte
	name string
	deep bool // looked for at every depth
}

// New makes a scanner of the secrets. Those that are equal count once.
func New(secrets []Secret) *Scanner {
	s := &Scanner{by: map[uint32][]needle{}}
	seen := map[string]bool{}
	for _, secret := range secrets {
		value := bytes.TrimSpace(secret.Value)
		if len(value) == 0 || seen[string(value)] {
			continue
		}
		seen[string(value)] = true
		if len(value) < MinLength {
			s.short++
			continue
		}
		s.known++
		for form := range forms(value) {
			s.add(needle{[]byte(form), secret.Name, len(value) >= long})
		}
	}
	for _, needles := range s.by { // of two that begin alike, the longer is the one that stands there
		slices.SortFunc(needles, func(a, b needle) int { return cmp.Compare(len(b.text), len(a.text)) })
	}
	return s
}

// Known is how many secrets are looked for.
func (s *Scanner) Known() int { return s.known }

// Short is how many secrets are too short to be looked for.
func (s *Scanner) Short() int { return s.short }

func (s *Scanner) add(n needle) {
	key := binary.LittleEndian.Uint32(n.text)
	h := hash(key)
	s.first[h>>6] |= 1 << (h & 63)
	s.by[key] = append(s.by[key], n)
}

func hash(key uint32) uint32 { return key * 0x9E3779B1 >> 13 } // 19 bits: 64 × 2^13

// forms are the ways in which the usual encoders write a secret. Those that are views of the text are here as well: a view may be led
// astray by what stands before the secret, a needle is not.
func forms(value []byte) map[string]bool {
	text := string(value)
	all := map[string]bool{text: true, url.QueryEscape(text): true, url.PathEscape(text): true, html.EscapeString(text): true}
	add := func(form string) {
		if len(form) >= MinLength {
			all[form] = true
		}
	}
	unquoted := func(quoted string) { add(quoted[1 : len(quoted)-1]) }
	unquoted(strconv.Quote(text))
	unquoted(strconv.QuoteToASCII(text))
	for _, escape := range []bool{true, false} {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(escape)
		if encoder.Encode(text) == nil {
			unquoted(string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))))
		}
	}
	var b bytes.Buffer
	if xml.EscapeText(&b, value) == nil {
		add(b.String())
	}
	if utf8.Valid(value) {
		units := utf16.Encode([]rune(text))
		little, big := make([]byte, 0, 2*len(units)), make([]byte, 0, 2*len(units))
		for _, u := range units {
			little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
		}
		add(string(little))
		add(string(big))
	}
	return all
}

// Find gives every place in text where a secret stands, in order, none within another.
func (s *Scanner) Find(text []byte) []Finding {
	if s.known == 0 {
		return nil
	}
	var all []Finding
	for from := 0; ; from += window - overlap {
		to := min(from+window, len(text))
		s.search(whole(text[from:to], from), depth, &all)
		if to == len(text) {
			return joined(all)
		}
	}
}

// Holds gives the name of a secret that stands in text; empty: none.
func (s *Scanner) Holds(text []byte) string {
	if all := s.Find(text); len(all) > 0 {
		return all[0].Name
	}
	return ""
}

// search looks into a view and into what it says when it is decoded.
func (s *Scanner) search(v view, left int, found *[]Finding) {
	for i := 0; i+MinLength <= len(v.text); i++ {
		key := binary.LittleEndian.Uint32(v.text[i:])
		h := hash(key)
		if s.first[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, n := range s.by[key] {
			if (n.deep || left >= depth-1) && bytes.HasPrefix(v.text[i:], n.text) {
				*found = append(*found, Finding{v.from(i), v.to(i + len(n.text) - 1), n.name})
				break
			}
		}
	}
	if left == 0 {
		return
	}
	if v.binary {
		v = v.legible()
	}
	for _, decode := range decoders {
		for _, inner := range decode(v) {
			s.search(inner, left-1, found)
		}
	}
}

// joined sorts findings and joins those that overlap.
func joined(all []Finding) []Finding {
	slices.SortFunc(all, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(b.To, a.To)) })
	var result []Finding
	for _, f := range all {
		if last := len(result) - 1; last >= 0 && f.From < result[last].To {
			result[last].To = max(result[last].To, f.To)
			continue
		}
		result = append(result, f)
	}
	return result
}
