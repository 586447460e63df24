package dashboard

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// sorting is how the table of a page is ordered: by `order` of its address, a column's name, with a minus the other way round.
type sorting struct {
	address url.URL
	order   string // "": as the page has it by itself
	first   string // the column by which it is, by itself
}

// sorting reads how the page's table is to be ordered; first is the order where nothing is said.
func (v *visit) sorting(first string) sorting {
	return sorting{*v.r.URL, cmp.Or(v.r.URL.Query().Get("order"), first), first}
}

// column is the head of a column that sorts.
type column struct {
	Name, Path string
	Sort       string // aria-sort; "": the table is not ordered by it
	Number     bool   // it holds numbers
}

// Column gives the head of a column. Its link orders by it, or the other way round where it is so already.
func (s sorting) Column(key, name string) column {
	c := column{Name: name}
	next := key
	switch s.order {
	case key:
		c.Sort, next = "ascending", "-"+key
	case "-" + key:
		c.Sort = "descending"
	}
	query := s.address.Query()
	query.Del("cursor")
	query.Del("page")
	query.Set("order", next)
	if next == s.first {
		query.Del("order")
	}
	c.Path = s.address.Path + "?" + query.Encode()
	return c
}

// Number is Column for one that holds numbers.
func (s sorting) Number(key, name string) column {
	c := s.Column(key, name)
	c.Number = true
	return c
}

// order sorts the rows of a list that is whole by one of the ways to compare them; another order leaves them as they are.
func order[T any](s sorting, rows []T, by map[string]func(a, b T) int) {
	compare := by[strings.TrimPrefix(s.order, "-")]
	if compare == nil {
		return
	}
	slices.SortStableFunc(rows, func(a, b T) int {
		if strings.HasPrefix(s.order, "-") {
			return compare(b, a)
		}
		return compare(a, b)
	})
}

// byText compares by a text, whatever its case.
func byText[T any](text func(T) string) func(a, b T) int {
	return func(a, b T) int { return cmp.Compare(strings.ToLower(text(a)), strings.ToLower(text(b))) }
}

// byNumber compares by a number.
func byNumber[T any](number func(T) int) func(a, b T) int {
	return func(a, b T) int { return cmp.Compare(number(a), number(b)) }
}

// byTime compares by a time, of which never is the earliest.
func byTime[T any](at func(T) *time.Time) func(a, b T) int {
	moment := func(row T) time.Time {
		if t := at(row); t != nil {
			return *t
		}
		return time.Time{}
	}
	return func(a, b T) int { return moment(a).Compare(moment(b)) }
}
