package dashboard

import (
	"net/url"
	"strconv"
)

// leafSize is how many rows of a list that is whole one page shows.
const leafSize = 100

// leaf is the part of a list that a page shows.
type leaf struct {
	From, To, All int    // the first and the last row of the page, counted from 1
	Before, Next  string // the addresses of the pages beside it; "": there is none
}

// leafed takes the part of a list that the page's address names (`page`, from 1).
func leafed[T any](address *url.URL, rows []T) ([]T, leaf) {
	n, err := strconv.Atoi(address.Query().Get("page"))
	last := max((len(rows)-1)/leafSize, 0)
	if n--; err != nil || n < 0 || n > last {
		n = 0
	}
	from, to := n*leafSize, min((n+1)*leafSize, len(rows))
	l := leaf{From: from + 1, To: to, All: len(rows)}
	other := func(n int) string {
		query := address.Query()
		query.Set("page", strconv.Itoa(n+1))
		return address.Path + "?" + query.Encode()
	}
	if n > 0 {
		l.Before = other(n - 1)
	}
	if n < last {
		l.Next = other(n + 1)
	}
	return rows[from:to], l
}

// pager leads through a list that is read page by page.
type pager struct {
	First, Next string // addresses; "": it is the first page, it is the last
	Log         bool   // the newest comes first
}

// pager makes the addresses: name is the parameter that says behind what a page begins, next its value for the page behind
// this one; "": there is none.
func (v *visit) pager(name, next string) (p pager) {
	query := v.r.URL.Query()
	if query.Has(name) {
		query.Del(name)
		p.First = v.r.URL.Path + "?" + query.Encode()
	}
	if next != "" {
		query.Set(name, next)
		p.Next = v.r.URL.Path + "?" + query.Encode()
	}
	p.Log = name == "before"
	return p
}

// after gives a cursor, where there is one.
func after(cursor *string) string {
	if cursor == nil {
		return ""
	}
	return *cursor
}
