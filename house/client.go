// Package house is where both ends meet: the tests of the whole road, the proofs, the benchmarks (house/bench) and the
// demo (house/demo). Relay and agent may not import each other; the house imports both and nobody imports the house.
package house

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"gantry/tunnel/fault"
)

// Client calls the public API as a cloud application does.
type Client struct {
	URL   string // of the relay, without /api/v1
	Token string
	HTTP  *http.Client
}

// Answer is a whole answer, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration
}

// JSON decodes the body.
func (a Answer) JSON(into any) error {
	if err := json.Unmarshal(a.Body, into); err != nil {
		return fmt.Errorf("%d %s: %w", a.Status, a.Body, err)
	}
	return nil
}

// Problem decodes the body as an error of the contract; nil where the call succeeded.
func (a Answer) Problem() *fault.Error {
	if a.Status < 400 {
		return nil
	}
	e, err := fault.Decode(bytes.NewReader(a.Body))
	if err != nil {
		return fault.New(fault.Internal, "not a problem document: %d %s", a.Status, a.Body).Because(err)
	}
	return e
}

// Header is a name and a value for a request.
type Header [2]string

// Do makes a call. body is nil, or anything that json.Marshal takes.
func (c *Client) Do(ctx context.Context, method, path string, body any, headers ...Header) (Answer, error) {
	start := time.Now()
	answer, err := c.open(ctx, method, path, body, headers...)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	return Answer{Status: answer.StatusCode, Header: answer.Header, Body: content, Took: time.Since(start)}, err
}

func (c *Client) open(ctx context.Context, method, path string, body any, headers ...Header) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.URL+"/api/v1"+path, content)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		r.Header.Set(h[0], h[1])
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(r)
}

// Stream reads a whole NDJSON result, a record at a time, and gives their number. A stream that ends without its end
// line was cut, and is an error; so is the error line.
func (c *Client) Stream(ctx context.Context, path string, each func(record []byte) error) (int, error) {
	answer, err := c.open(ctx, http.MethodGet, path, nil, Header{"Accept", "application/x-ndjson"})
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		content, _ := io.ReadAll(answer.Body)
		return 0, Answer{Status: answer.StatusCode, Body: content}.Problem()
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	count := 0
	for lines.Scan() {
		if last, err := endOf(lines.Bytes(), count); last {
			return count, err
		}
		count++
		if err := each(lines.Bytes()); err != nil {
			return count, err
		}
	}
	return count, errors.Join(lines.Err(), fmt.Errorf("the stream was cut after %d records", count))
}

// endOf recognises the last line of a stream.
func endOf(line []byte, count int) (bool, error) {
	if !bytes.HasPrefix(line, []byte(`{"end":`)) && !bytes.HasPrefix(line, []byte(`{"error":`)) {
		return false, nil
	}
	var last struct {
		End   *struct{ Count int } `json:"end"`
		Error json.RawMessage      `json:"error"`
	}
	if err := json.Unmarshal(line, &last); err != nil {
		return true, err
	}
	if last.Error != nil {
		e, err := fault.Decode(bytes.NewReader(last.Error))
		if err != nil {
			return true, err
		}
		return true, e
	}
	if last.End.Count != count {
		return true, fmt.Errorf("the end line counts %d records, %d arrived", last.End.Count, count)
	}
	return true, nil
}

// Page is one page of a list.
type Page struct {
	Data       []json.RawMessage `json:"data"`
	NextCursor string            `json:"next_cursor"`
	HasMore    bool              `json:"has_more"`
}

// All reads a list by paging, and gives each record.
func (c *Client) All(ctx context.Context, path string, limit int) ([]json.RawMessage, error) {
	var all []json.RawMessage
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	next := fmt.Sprintf("%s%slimit=%d", path, separator, limit)
	for cursor := ""; ; {
		address := next
		if cursor != "" {
			address += "&cursor=" + cursor
		}
		answer, err := c.Do(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		if p := answer.Problem(); p != nil {
			return nil, p
		}
		var page Page
		if err := answer.JSON(&page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if !page.HasMore {
			return all, nil
		}
		cursor = page.NextCursor
	}
}
