package sqldriver

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// lexis is what the dialects' lexical rules differ in.
type lexis struct {
	backslash   bool // '…' and "…" know backslash escapes (MySQL)
	escapeE     bool // E'…' does (PostgreSQL)
	dollar      bool // $tag$…$tag$ (PostgreSQL)
	backtick    bool // `name` (MySQL, SQLite)
	bracket     bool // [name] (SQL Server, SQLite)
	quoteQ      bool // q'[…]' (Oracle)
	hash        bool // # begins a comment (MySQL)
	nested      bool // block comments nest (PostgreSQL, SQL Server)
	block       bool // BEGIN … END is one statement, semicolons and all (Oracle)
	ownsNumbers bool // $1 is the dialect's own placeholder (PostgreSQL, SQLite)
	ownsMark    bool // ? is (MySQL, SQLite)
	ownsAt      bool // @p1 is (SQL Server), @name is (SQLite)
}

// piece is a stretch of a statement: text as written, or a parameter.
type piece struct {
	text  string
	param string // empty: text
}

// lexed is a statement taken apart.
type lexed struct {
	pieces []piece
	words  []string // the plain words at top level, lower-case, in order
}

// lexer walks through one statement.
type lexer struct {
	lexis
	src   string
	pos   int
	begin int // where the current stretch of text began
	out   lexed
}

// lex takes a statement apart. Its errors are for the author of a definition.
func lex(src string, rules lexis) (lexed, error) {
	if strings.ContainsRune(src, 0) {
		return lexed{}, fmt.Errorf("the statement holds a NUL character")
	}
	l := &lexer{lexis: rules, src: src}
	for l.pos < len(l.src) {
		end, err := l.token()
		if err != nil {
			return lexed{}, fmt.Errorf("line %d: %w", 1+strings.Count(src[:min(l.pos, len(src))], "\n"), err)
		}
		if end {
			break
		}
	}
	l.flush(l.pos)
	if len(l.out.words) == 0 {
		return lexed{}, fmt.Errorf("the statement is empty")
	}
	return l.out, nil
}

// token consumes one token. It reports whether the statement ends here.
func (l *lexer) token() (end bool, err error) {
	switch c := l.src[l.pos]; {
	case c == '\'':
		return false, l.quoted('\'', l.backslash || l.afterE())
	case c == '"':
		return false, l.quoted('"', l.backslash)
	case c == '`' && l.backtick:
		return false, l.quoted('`', false)
	case c == '[' && l.bracket:
		return false, l.quoted(']', false)
	case c == '-' && l.next("--"), c == '#' && l.hash:
		l.lineComment()
	case c == '/' && l.next("/*"):
		return false, l.blockComment()
	case c == '$':
		return false, l.dollarSign()
	case c == ':':
		return false, l.colon()
	case c == ';':
		return l.semicolon()
	case c == '?' && l.ownsMark, c == '@' && l.ownsAt:
		return false, l.ownPlaceholder()
	case letter(c):
		return false, l.word()
	case digit(c):
		l.pos = l.skip(l.pos, nameChar) // 1e5, 0x1F: no word begins inside a number
	default:
		l.pos++
	}
	return false, nil
}

func (l *lexer) next(s string) bool { return strings.HasPrefix(l.src[l.pos:], s) }

// afterE reports whether the quote at pos opens an E'…' string.
func (l *lexer) afterE() bool {
	if !l.escapeE || l.pos == 0 || l.src[l.pos-1]|0x20 != 'e' {
		return false
	}
	return l.pos == 1 || !nameChar(l.src[l.pos-2])
}

// quoted consumes a quoted stretch that ends with end; a doubled end is part of it.
func (l *lexer) quoted(end byte, backslash bool) error {
	for i := l.pos + 1; i < len(l.src); i++ {
		switch {
		case backslash && l.src[i] == '\\':
			i++
		case l.src[i] == end && i+1 < len(l.src) && l.src[i+1] == end:
			i++
		case l.src[i] == end:
			l.pos = i + 1
			return nil
		}
	}
	return fmt.Errorf("a quote %c is never closed", l.src[l.pos])
}

func (l *lexer) lineComment() {
	if n := strings.IndexByte(l.src[l.pos:], '\n'); n >= 0 {
		l.pos += n + 1
		return
	}
	l.pos = len(l.src)
}

func (l *lexer) blockComment() error {
	depth := 0
	for i := l.pos; i < len(l.src)-1; i++ {
		switch pair := l.src[i : i+2]; {
		case pair == "/*" && (depth == 0 || l.nested):
			depth++
			i++
		case pair == "*/":
			depth--
			i++
		}
		if depth == 0 {
			l.pos = i + 1
			return nil
		}
	}
	return fmt.Errorf("a comment is never closed")
}

// dollarSign consumes a dollar-quoted string, or refuses $1.
func (l *lexer) dollarSign() error {
	after := l.pos + 1
	if l.ownsNumbers && after < len(l.src) && digit(l.src[after]) {
		return l.ownPlaceholder()
	}
	stop := l.skip(after, nameChar)
	if !l.dollar || stop >= len(l.src) || l.src[stop] != '$' {
		l.pos = max(stop, after)
		return nil
	}
	tag := l.src[l.pos : stop+1]
	n := strings.Index(l.src[stop+1:], tag)
	if n < 0 {
		return fmt.Errorf("the string %s is never closed", tag)
	}
	l.pos = stop + 1 + n + len(tag)
	return nil
}

// colon consumes a parameter, a cast (::), an assignment (:=) or a lone colon.
func (l *lexer) colon() error {
	after := l.pos + 1
	switch {
	case l.next("::"), l.next(":="):
		l.pos += 2
	case after < len(l.src) && letter(l.src[after]):
		stop := l.skip(after, nameChar)
		l.flush(l.pos)
		l.out.pieces = append(l.out.pieces, piece{param: l.src[after:stop]})
		l.pos, l.begin = stop, stop
	default:
		l.pos++
	}
	return nil
}

// semicolon ends the statement; only blanks and comments may follow.
func (l *lexer) semicolon() (end bool, err error) {
	if l.block && len(l.out.words) > 0 && (l.out.words[0] == "begin" || l.out.words[0] == "declare") {
		l.pos++
		return false, nil
	}
	l.flush(l.pos)
	if !l.blank(l.src[l.pos+1:]) {
		return false, fmt.Errorf("only one statement is allowed, and there is more after the semicolon")
	}
	l.begin = l.pos
	return true, nil
}

// blank reports whether s is nothing but blanks and comments.
func (l *lexer) blank(s string) bool {
	rest := &lexer{lexis: l.lexis, src: s}
	for rest.pos < len(s) {
		switch c := s[rest.pos]; {
		case strings.IndexByte(" \t\r\n;", c) >= 0:
			rest.pos++
		case rest.next("--"), c == '#' && l.hash:
			rest.lineComment()
		case rest.next("/*"):
			if rest.blockComment() != nil {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (l *lexer) ownPlaceholder() error {
	c, after := l.src[l.pos], l.pos+1
	if c == '@' && (after >= len(l.src) || l.src[after]|0x20 != 'p' || !digit(l.at(after+1))) {
		l.pos = l.skip(after, func(c byte) bool { return c == '@' || nameChar(c) }) // @variable, @@version
		return nil
	}
	return fmt.Errorf("write a parameter as :name, not as %c", c)
}

// word consumes a plain word, and an Oracle q'[…]' with it.
func (l *lexer) word() error {
	stop := l.skip(l.pos, nameChar)
	word := strings.ToLower(l.src[l.pos:stop])
	if l.quoteQ && (word == "q" || word == "nq") && l.at(stop) == '\'' && stop+1 < len(l.src) {
		open, size := utf8.DecodeRuneInString(l.src[stop+1:])
		body, end := stop+1+size, string(closing(open))+"'"
		n := strings.Index(l.src[body:], end)
		if n < 0 {
			return fmt.Errorf("a string %s' is never closed", word)
		}
		l.pos = body + n + len(end)
		return nil
	}
	l.out.words = append(l.out.words, word)
	l.pos = stop
	return nil
}

func closing(open rune) rune {
	if i := strings.IndexRune("[{(<", open); i >= 0 {
		return rune("]})>"[i])
	}
	return open
}

// flush ends the current stretch of text at end.
func (l *lexer) flush(end int) {
	if end > l.begin {
		l.out.pieces = append(l.out.pieces, piece{text: l.src[l.begin:end]})
	}
	l.begin = end
}

func (l *lexer) at(i int) byte {
	if i < len(l.src) {
		return l.src[i]
	}
	return 0
}

func (l *lexer) skip(i int, while func(byte) bool) int {
	for i < len(l.src) && while(l.src[i]) {
		i++
	}
	return i
}

func letter(c byte) bool   { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }
func digit(c byte) bool    { return c >= '0' && c <= '9' }
func nameChar(c byte) bool { return letter(c) || digit(c) }
