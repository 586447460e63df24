package dashboard

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"gantry/tunnel/fault"
)

// maxShown bounds the JSON that the console shows, in bytes.
const maxShown = 24 << 10

// result is what came of a call of the console.
type result struct {
	Status    int
	Took      int64 // milliseconds
	RequestID string
	Call      string // method and path, as an application makes it
	Curl      string
	Problem   *fault.Error // nil: it went well
	Hops      []step       // of a failure: the way of the call
	Records   *grid        // of a list
	Record    *grid        // of one record: a row for each field
	JSON      string
	Cut       bool // there is more of it
	Next      string
}

// Text is the status in words.
func (r result) Text() string { return http.StatusText(r.Status) }

// Good tells whether it went well.
func (r result) Good() bool { return r.Problem == nil }

// try makes a call as the person who looks, and keeps everything that tells how it went.
func (v *visit) try(path string, can entityCapabilities, about headed) (*result, error) {
	began := time.Now()
	a, err := v.of(about.ID).send(http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	r := &result{
		Status: a.status, Took: time.Since(began).Milliseconds(), RequestID: a.Header().Get("Request-Id"),
		Call: http.MethodGet + " " + base + path, Curl: `curl -H "Authorization: Bearer $GANTRY_TOKEN" '` + v.URL + base + path + "'",
	}
	raw := bytes.Clone(a.body.Bytes())
	r.JSON, r.Cut = pretty(raw)
	if err := a.read(nil); err != nil {
		if r.Problem, err = told(err); err != nil {
			return nil, err
		}
		r.Hops = way(r.Problem.Hop)
		return r, nil
	}
	return r, r.lay(raw, can, about, v.r.URL)
}

// lay makes tables of what the API gave.
func (r *result) lay(raw []byte, can entityCapabilities, about headed, here *url.URL) error {
	var page struct {
		Data []json.RawMessage `json:"data"`
		Next *string           `json:"next_cursor"`
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return err
	}
	if page.Data == nil {
		record, err := recordOf(raw)
		r.Record = record.upright(can, about)
		return err
	}
	var err error
	if r.Records, err = gridOf(page.Data, can, about, here.Query().Get("entity")); err != nil {
		return err
	}
	if page.Next != nil {
		query := here.Query()
		query.Set("cursor", *page.Next)
		r.Next = here.Path + "?" + query.Encode() + "#result"
	}
	return nil
}

// pretty writes JSON for people, no more of it than a page holds.
func pretty(raw []byte) (text string, cut bool) {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return "", false
	}
	if b.Len() <= maxShown {
		return b.String(), false
	}
	end := maxShown
	for !utf8.RuneStart(b.Bytes()[end]) {
		end--
	}
	return string(b.Bytes()[:end]), true
}
