package rest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gantry/connectors/native"
)

// The ways to go from page to page.
const (
	byKeyset = "keyset" // after the last record, by filter and sort
	byPage   = "page"   // by the number of the page
	byOffset = "offset" // by the number of the record
	byLink   = "link"   // by a link in the answer
	byHeader = "header" // by a link in the header Link, RFC 8288
	byCursor = "cursor" // by a token in the answer
	byNone   = "none"   // one answer is everything, whatever the protocol says
)

// paging is how a query goes from page to page.
type paging struct {
	by     string
	size   string // parameter for the records of a page; "": the system decides
	number string // parameter of the page's or the record's number, or of the token
	first  int    // of pages
	next   string // path of the link, or of the token; of keyset: what is there while there is another page
	rebase bool
	unique string // of keyset: the order's first column, if it tells records apart by itself: the pages go by it alone
	most   int    // records that the system gives a page; 0: as many as are asked for
}

func compilePaging(v any) (*paging, error) {
	m := native.Object("pages", v)
	p := &paging{by: m.OneOf("by", byKeyset, byPage, byOffset, byLink, byHeader, byCursor, byNone), size: m.Text("size"), most: m.Number("most")}
	switch p.by {
	case byNone:
	case byKeyset:
		p.unique, p.next = m.Text("unique"), m.Text("next")
	case byPage:
		p.number, p.first = m.Text("parameter"), 1
		if m.Has("first") {
			p.first = m.Number("first")
		}
	case byOffset:
		p.number = m.Text("parameter")
	case byLink:
		p.next, p.rebase = m.Text("next"), m.Flag("rebase")
	case byHeader:
		p.rebase = m.Flag("rebase")
	case byCursor:
		p.number, p.next = m.Text("parameter"), m.Text("next")
	default:
		m.Fault("by is missing")
	}
	needsNumber := p.by == byPage || p.by == byOffset || p.by == byCursor
	needsNext := p.by == byLink || p.by == byCursor
	switch {
	case needsNumber && p.number == "":
		m.Fault("parameter is missing")
	case needsNext && p.next == "":
		m.Fault("next is missing: the path of what leads to the next page")
	case p.size == "" && (p.by == byKeyset || p.by == byOffset || p.by == byPage):
		m.Fault("size is missing: the parameter that says how many records a page has")
	}
	return p, m.Done()
}

// begin puts the first page into a query.
func (p *paging) begin(into url.Values, size int) {
	if p == nil {
		return
	}
	if p.size != "" {
		into.Set(p.size, strconv.Itoa(size))
	}
	switch p.by {
	case byPage:
		into.Set(p.number, strconv.Itoa(p.first))
	case byOffset:
		into.Set(p.number, "0")
	}
}

// linkHeader gives the target of the first link of the relation next: RFC 8288, section 3. "": there is none.
func linkHeader(h http.Header) string {
	for _, line := range h.Values("Link") {
		for line != "" {
			_, rest, found := strings.Cut(line, "<")
			target, after, closed := strings.Cut(rest, ">")
			if !found || !closed {
				break
			}
			var relations string
			relations, line = relation(after)
			if slices.ContainsFunc(strings.Fields(relations), func(r string) bool { return strings.EqualFold(r, "next") }) {
				return target
			}
		}
	}
	return ""
}

// relation reads the parameters of one link, and gives what its `rel` says and what stands after the link.
func relation(s string) (rel, rest string) {
	said := map[string]string{}
	for {
		s = strings.TrimLeft(s, " \t")
		if !strings.HasPrefix(s, ";") {
			return said["rel"], strings.TrimPrefix(s, ",")
		}
		name := strings.TrimLeft(s[1:], " \t")
		end := strings.IndexAny(name, "=;,")
		if end < 0 {
			return said["rel"], ""
		}
		s = name[end:]
		name = strings.ToLower(strings.TrimSpace(name[:end]))
		value := ""
		if strings.HasPrefix(s, "=") {
			value, s = parameterValue(strings.TrimLeft(s[1:], " \t"))
		}
		if _, twice := said[name]; !twice { // the first one counts
			said[name] = value
		}
	}
}

// parameterValue reads a token, or a quoted text.
func parameterValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ";,")
		if end < 0 {
			end = len(s)
		}
		return strings.TrimSpace(s[:end]), s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// with gives a copy of a query with one member set.
func with(query url.Values, name, value string) url.Values {
	out := maps.Clone(query)
	out.Set(name, value)
	return out
}
