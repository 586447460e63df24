package house

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// canned answers every request with the same.
type canned struct {
	status int
	header http.Header
	body   string
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: c.header.Clone(), Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

// complaints is a test that only notes what is said against an answer.
type complaints struct {
	testing.TB
	said bytes.Buffer
}

func (c *complaints) Errorf(format string, args ...any) { fmt.Fprintf(&c.said, format, args...) }
func (c *complaints) Helper()                           {}

// TestTheJudgeIsStrict: an answer that the document does not describe is told, whatever part of it is wrong.
func TestTheJudgeIsStrict(t *testing.T) {
	head := func(kind string, more ...string) http.Header {
		h := http.Header{"Request-Id": {"req_1"}}
		if kind != "" {
			h.Set("Content-Type", kind)
		}
		for i := 0; i < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return h
	}
	const (
		json, ndjson, problem = "application/json", "application/x-ndjson", "application/problem+json"
		credits               = `{"total":1,"used":0,"available":1,"by_connection":[],"next_cursor":null,"has_more":false}`
		notFound              = `{"type":"about:blank","status":404,"title":"t","code":"NOT_FOUND","detail":"d","hop":"client","scope":"record","retryable":false,"retry_after":null}`
	)
	for name, test := range map[string]struct {
		method, path string
		answer       canned
		complaint    string // empty: none
	}{
		"as described":              {"GET", "/credits", canned{200, head(json), credits}, ""},
		"a status of no such":       {"GET", "/credits", canned{201, head(json), credits}, "no such status"},
		"a header too many":         {"GET", "/credits", canned{200, head(json, "ETag", `"1"`), credits}, "Etag is not described"},
		"a header too few":          {"GET", "/credits", canned{200, http.Header{"Content-Type": {json}}, credits}, "Request-Id is missing"},
		"another media type":        {"GET", "/credits", canned{200, head("text/html"), credits}, "media type"},
		"a member too many":         {"GET", "/credits", canned{200, head(json), strings.Replace(credits, "{", `{"more":1,`, 1)}, "additional properties 'more' not allowed"},
		"a member too few":          {"GET", "/credits", canned{200, head(json), `{"total":1}`}, "missing properties"},
		"a body where none is":      {"DELETE", "/keys/k", canned{204, head(""), "x"}, "there is one"},
		"no body where one is":      {"GET", "/credits", canned{200, head(json), ""}, "EOF"},
		"a failure as described":    {"GET", "/sites/s", canned{404, head(problem), notFound}, ""},
		"a code of another":         {"GET", "/sites/s", canned{404, head(problem), strings.Replace(notFound, "NOT_FOUND", "CONFLICT", 1)}, "value must be 'NOT_FOUND'"},
		"a code of nobody":          {"GET", "/sites/s", canned{404, head(problem), strings.Replace(notFound, "NOT_FOUND", "GONE", 1)}, "'/code'"},
		"a record as described":     {"GET", "/vendors/7", canned{200, head(json), `{"id":"7","name":null}`}, ""},
		"a record of another":       {"GET", "/vendors/7", canned{200, head(json), `{"id":"7","meter_id":"7"}`}, "meter_id"},
		"below entities the same":   {"GET", "/entities/vendors/7", canned{200, head(json), `{"id":"7","meter_id":"7"}`}, "meter_id"},
		"a custom entity":           {"GET", "/entities/widgets/7", canned{200, head(json), `{"id":"7","colour":"red"}`}, ""},
		"a stream as described":     {"GET", "/vendors", canned{200, head(ndjson), "{\"id\":\"7\"}\n{\"end\":{\"count\":1}}\n"}, ""},
		"a line of another":         {"GET", "/vendors", canned{200, head(ndjson), "{\"id\":7}\n{\"end\":{\"count\":1}}\n"}, "id"},
		"a stream within a line":    {"GET", "/vendors", canned{200, head(ndjson), `{"id":"7"`}, "within a line"},
		"a path of nobody":          {"GET", "/a/b/c/d/e/f", canned{200, head(json), "{}"}, "no such operation"},
		"a path of nobody, refused": {"GET", "/a/b/c/d/e/f", canned{404, head(problem), notFound}, ""},
		"a method of nobody":        {"PUT", "/credits", canned{200, head(json), credits}, "no such operation"},
	} {
		t.Run(name, func(t *testing.T) {
			noted := &complaints{TB: t}
			client := keepingPromises(noted, &http.Client{Transport: test.answer})
			r, err := http.NewRequestWithContext(t.Context(), test.method, "http://relay/api/v1"+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if said := noted.said.String(); (said == "") != (test.complaint == "") || !strings.Contains(said, test.complaint) {
				t.Errorf("it says %q, want %q", said, test.complaint)
			}
		})
	}
}
