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
	query, err := parameters(r, append(known, "limit", "cursor")...)
	if err != nil {
		return nil, store.Page{}, err
	}
	asked := store.Page{Limit: defaultPage + 1}
	if limit := query.Get("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 || n > largestPage {
			return nil, asked, badParameter("limit", "a number from 1 to %d", largestPage)
		}
		asked.Limit = n + 1
	}
	if cursor := query.Get("cursor"); cursor != "" {
		after, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || !saneID(string(after)) {
			return nil, asked, badParameter("cursor", "the `next_cursor` of the page before")
		}
		asked.After = string(after)
	}
	return query, asked, nil
}

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
