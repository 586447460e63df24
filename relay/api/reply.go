package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// reply answers with one of our own documents.
func reply(w http.ResponseWriter, status int, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller may be gone
	return nil
}

// list is the envelope of every list.
type list[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
	HasMore    bool    `json:"has_more"`
}

// The sizes of a page of our own lists.
const (
	defaultPage = 100
	largestPage = 500
)

// page reads the parameters of one of our own lists, and refuses those that it does not know. It asks the store for one
// row more, which tells whether there are more.
func page(r *http.Request, known ...string) (url.Values, store.Page, error) {
	query, limit, err := sized(r, known...)
	if err != nil {
		return nil, store.Page{}, err
	}
	asked, err := behind(query.Get("cursor"), limit)
	return query, asked, err
}

// sized reads the parameters, of which only the limit is understood.
func sized(r *http.Request, known ...string) (query url.Values, limit int, err error) {
	if query, err = parameters(r, append(known, "limit", "cursor")...); err != nil {
		return nil, 0, err
	}
	text := query.Get("limit")
	if text == "" {
		return query, defaultPage, nil
	}
	if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > largestPage {
		return nil, 0, badParameter("limit", "a number from 1 to %d", largestPage)
	}
	return query, limit, nil
}

// behind is the page behind a cursor that holds an id.
func behind(cursor string, limit int) (store.Page, error) {
	asked := store.Page{Limit: limit + 1}
	if cursor == "" {
		return asked, nil
	}
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || !saneID(string(after)) {
		return asked, badCursor()
	}
	asked.After = string(after)
	return asked, nil
}

func badCursor() error { return badParameter("cursor", "the `next_cursor` of the page before") }

// parameters reads the query, each name at most once and all of them known.
func parameters(r *http.Request, known ...string) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.InvalidRequest, "The query of the address is malformed.").Because(err)
	}
	for name, values := range query {
		if !slices.Contains(known, name) {
			return nil, fault.New(fault.InvalidRequest, "There is no such parameter.").Member(clip(name), "UNKNOWN", "there is no such parameter")
		}
		if len(values) > 1 {
			return nil, badParameter(name, "one value")
		}
	}
	return query, nil
}

func badParameter(name, want string, args ...any) error {
	return fault.New(fault.InvalidRequest, "A parameter is not as it should be.").Member(name, "INVALID", want, args...)
}

// paged makes the envelope of what the store gave for a page.
func paged[R, T any](rows []R, asked store.Page, id func(R) string, show func(R) T) list[T] {
	answer := list[T]{Data: []T{}}
	if len(rows) >= asked.Limit {
		rows = rows[:asked.Limit-1]
		next := base64.RawURLEncoding.EncodeToString([]byte(id(rows[len(rows)-1])))
		answer.NextCursor, answer.HasMore = &next, true
	}
	for _, row := range rows {
		answer.Data = append(answer.Data, show(row))
	}
	return answer
}

// moment shows a time, and null for never.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// label checks a name that a person gave.
func label(name, value string) error {
	if value == "" {
		return fault.New(fault.InvalidRequest, "A member is missing.").Member(name, "REQUIRED", "must not be empty")
	}
	if len(value) > 200 {
		return fault.New(fault.InvalidRequest, "A member is too long.").Member(name, "TOO_LONG", "at most 200 bytes")
	}
	return nil
}
