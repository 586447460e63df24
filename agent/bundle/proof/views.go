package proof

import (
	"bytes"
	"html"
	"unicode/utf8"
)

// view is a text, or what a text says when it is decoded, with the place of each byte in the text that the search began with.
type view struct {
	text  []byte
	begin []int32 // nil: the text itself
	end   []int32
	base  int

	binary bool // it was decoded from letters that may have meant something else: most of it is noise
}

func whole(text []byte, base int) view { return view{text: text, base: base} }

// from is where the i-th byte begins in the first text.
func (v view) from(i int) int {
	if v.begin == nil {
		return v.base + i
	}
	return v.base + int(v.begin[i])
}

// to is behind the end of the i-th byte in the first text.
func (v view) to(i int) int {
	if v.end == nil {
		return v.base + i + 1
	}
	return v.base + int(v.end[i])
}

// inner begins a view of what v says.
func (v view) inner() view {
	n := len(v.text)
	return view{base: v.base, text: make([]byte, 0, n), begin: make([]int32, 0, n), end: make([]int32, 0, n)}
}

// put appends a byte that was decoded from the bytes [i, j) of v.
func (w *view) put(b byte, v view, i, j int) {
	w.text = append(w.text, b)
	w.begin = append(w.begin, int32(v.from(i)-v.base))
	w.end = append(w.end, int32(v.to(j-1)-v.base))
}

// legible gives the parts of noise that may be a text, in which to look further: what is no text is not written down in another
// encoding once more.
func (v view) legible() view {
	const least = 8
	w := v.inner()
	from := 0
	for i := 0; i <= len(v.text); i++ {
		if i < len(v.text) && (v.text[i] >= ' ' && v.text[i] < 0x7f || v.text[i] == '\n' || v.text[i] == '\r' || v.text[i] == '\t' || v.text[i] == 0) {
			continue
		}
		if i-from >= least {
			w.text, w.begin, w.end = append(w.text, v.text[from:i]...), append(w.begin, v.begin[from:i]...), append(w.end, v.end[from:i]...)
			apart(&w)
		}
		from = i + 1
	}
	return w
}

// decoders are the encodings that are looked through. Each gives no view where it finds nothing to decode.
var decoders = []func(view) []view{percents, backslashes, entities, nuls, base64s, hexes, numbers}

// unescape makes a view of v in which decode's sequences are replaced: it gives the bytes of the sequence that begins at i, and its
// length; 0: none begins there.
func unescape(v view, mark byte, decode func(text []byte, i int) ([]byte, int)) []view {
	if bytes.IndexByte(v.text, mark) < 0 {
		return nil
	}
	w, changed := v.inner(), false
	for i := 0; i < len(v.text); {
		if v.text[i] == mark {
			if plain, n := decode(v.text, i); n > 0 {
				for _, b := range plain {
					w.put(b, v, i, i+n)
				}
				i, changed = i+n, true
				continue
			}
		}
		w.put(v.text[i], v, i, i+1)
		i++
	}
	if !changed {
		return nil
	}
	return []view{w}
}

// percents decodes URLs. A plus is a space in the query and itself elsewhere: where there is one, both are looked at.
func percents(v view) []view {
	all := unescape(v, '%', func(text []byte, i int) ([]byte, int) {
		if b, ok := octet(text, i+1); ok {
			return []byte{b}, 3
		}
		return nil, 0
	})
	plain := v
	if len(all) > 0 {
		plain = all[0]
	}
	return append(all, unescape(plain, '+', func([]byte, int) ([]byte, int) { return []byte{' '}, 1 })...)
}

// backslashes decodes the strings of JSON, Go, C and their like.
func backslashes(v view) []view {
	single := map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f', 'a': 7, 'v': 11, '0': 0, '"': '"', '\'': '\'', '\\': '\\', '/': '/'}
	return unescape(v, '\\', func(text []byte, i int) ([]byte, int) {
		if i+1 >= len(text) {
			return nil, 0
		}
		switch text[i+1] {
		case 'x':
			if b, ok := octet(text, i+2); ok {
				return []byte{b}, 4
			}
		case 'u':
			high, ok := octet(text, i+2)
			low, ok2 := octet(text, i+4)
			if ok && ok2 {
				return utf8.AppendRune(nil, rune(high)<<8|rune(low)), 6
			}
		}
		if b, ok := single[text[i+1]]; ok {
			return []byte{b}, 2
		}
		return nil, 0
	})
}

// entities decodes XML and HTML.
func entities(v view) []view {
	return unescape(v, '&', func(text []byte, i int) ([]byte, int) {
		n := bytes.IndexByte(text[i:min(len(text), i+12)], ';')
		if n < 0 {
			return nil, 0
		}
		entity := string(text[i : i+n+1])
		if plain := html.UnescapeString(entity); plain != entity {
			return []byte(plain), n + 1
		}
		return nil, 0
	})
}

// nuls takes out the zero bytes of a text in UTF-16.
func nuls(v view) []view {
	return unescape(v, 0, func([]byte, int) ([]byte, int) { return nil, 1 })
}

// sextets are the values of base64's letters, of both alphabets.
var sextets = func() (table [256]int8) {
	for i := range table {
		table[i] = -1
	}
	for i, letter := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" {
		table[letter] = int8(i)
	}
	table['+'], table['-'], table['/'], table['_'] = 62, 62, 63, 63
	return table
}()

// base64s decodes every run of base64's letters, from each of its first four: what stands before a secret may be letters, too. A run
// goes on over the end of a line, as in PEM.
func base64s(v view) []view {
	var all [4]view
	for i := range all {
		all[i] = v.inner()
		all[i].binary = true
	}
	const least = 6 // letters for MinLength bytes
	letters := make([]int, 0, 256)
	flush := func() {
		if len(letters) >= least {
			for shift := range all {
				decodeRun(&all[shift], v, letters[shift:])
			}
		}
		letters = letters[:0]
	}
	line := false // at the end of a line
	for i, b := range v.text {
		switch {
		case sextets[b] >= 0:
			letters, line = append(letters, i), false
		case b == '\r' || b == '\n':
			line = true
		case line && (b == ' ' || b == '\t'):
		default:
			flush()
			line = false
		}
	}
	flush()
	if len(all[0].text) == 0 {
		return nil
	}
	return all[:]
}

// decodeRun appends what the letters at these places say. Runs are kept apart, so that no secret is found across two.
func decodeRun(w *view, v view, at []int) {
	for ; len(at) >= 2; at = at[min(4, len(at)):] {
		n := min(4, len(at))
		var bits uint32
		for k := range 4 {
			bits <<= 6
			if k < n {
				bits |= uint32(sextets[v.text[at[k]]])
			}
		}
		for k := range n - 1 {
			w.put(byte(bits>>(16-8*k)), v, at[k], at[k+1]+1)
		}
	}
	apart(w)
}

// apart puts a byte between two runs.
func apart(w *view) {
	if n := len(w.text); n > 0 {
		w.text, w.begin, w.end = append(w.text, '\n'), append(w.begin, w.begin[n-1]), append(w.end, w.end[n-1])
	}
}

// hexes decodes runs of hex digits, from each of their first two, also with one `:`, `-` or space between each pair.
func hexes(v view) []view {
	var all [2]view
	for i := range all {
		all[i] = v.inner()
		all[i].binary = true
	}
	digits := make([]int, 0, 256)
	flush := func() {
		for shift := range all {
			for i := shift; len(digits) >= 2*MinLength && i+1 < len(digits); i += 2 {
				all[shift].put(digit(v.text[digits[i]])<<4|digit(v.text[digits[i+1]]), v, digits[i], digits[i+1]+1)
			}
			apart(&all[shift])
		}
		digits = digits[:0]
	}
	for i, b := range v.text {
		switch {
		case digit(b) < 16:
			digits = append(digits, i)
		case between(b) && i > 0 && i+1 < len(v.text) && digit(v.text[i-1]) < 16 && digit(v.text[i+1]) < 16:
		default:
			if len(digits) > 0 {
				flush()
			}
		}
	}
	flush()
	if len(all[0].text) == 0 {
		return nil
	}
	return all[:]
}

func between(b byte) bool { return b == ':' || b == '-' || b == ' ' || b == '\n' }

// numbers decodes lists of bytes as Go prints them, [104 117 110], and with commas as JSON does.
func numbers(v view) []view {
	w := v.inner()
	w.binary = true
	count := 0
	for i := 0; i < len(v.text); {
		n, value := i, 0
		for n < len(v.text) && v.text[n] >= '0' && v.text[n] <= '9' && n-i < 3 {
			value = 10*value + int(v.text[n]-'0')
			n++
		}
		switch {
		case n > i && value < 256:
			w.put(byte(value), v, i, n)
			count++
			i = n
		case v.text[i] == ' ' || v.text[i] == ',' || v.text[i] == '\n':
			i++
		default:
			apart(&w)
			i++
		}
	}
	if count < MinLength {
		return nil
	}
	return []view{w}
}

// octet reads two hex digits.
func octet(text []byte, i int) (byte, bool) {
	if i+1 >= len(text) || digit(text[i]) > 15 || digit(text[i+1]) > 15 {
		return 0, false
	}
	return digit(text[i])<<4 | digit(text[i+1]), true
}

// digit is the value of a hex digit; 16 for any other byte.
func digit(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10
	}
	return 16
}
