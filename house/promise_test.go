package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"gantry/tunnel/fault"
)

// promised is a transport that holds every answer of the API against the OpenAPI document: status, headers, media type and
// body, streams line by line. What the document does not describe fails the test that asked.
type promised struct {
	t    testing.TB
	next http.RoundTripper
}

// keepingPromises makes a client whose answers are judged.
func keepingPromises(t testing.TB, client *http.Client) *http.Client {
	next := client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	return &http.Client{Transport: promised{t, next}}
}

// RoundTrip implements http.RoundTripper.
func (p promised) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := p.next.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.Path, "/api/v1/") {
		return answer, err
	}
	judge, err := theContract(p.t).judge(r, answer)
	if err != nil {
		p.t.Errorf("%s %s: %d: not as the document says: %v", r.Method, r.URL, answer.StatusCode, err)
	}
	if judge != nil {
		answer.Body = &judged{ReadCloser: answer.Body, judge: judge, fail: func(err error) {
			p.t.Errorf("%s %s: %d: the body is not as the document says: %v", r.Method, r.URL, answer.StatusCode, err)
		}}
	}
	return answer, nil
}

// CloseIdleConnections is asked by http.Client.
func (p promised) CloseIdleConnections() {
	if c, ok := p.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// judge looks at the head of an answer, and gives what will look at its body; nil: nothing will.
func (c *contract) judge(r *http.Request, answer *http.Response) (judge, error) {
	place, operation := c.operation(r)
	if operation == nil {
		return c.stray(answer)
	}
	c.saw(operation)
	status := fmt.Sprint(answer.StatusCode)
	response, _ := in(operation, "responses", status).(map[string]any)
	if response == nil {
		return nil, fmt.Errorf("%s has no such status", nameOf(operation))
	}
	place = append(place, "responses", status)
	if ref, _ := response["$ref"].(string); ref != "" {
		place = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		response, _ = in(c.document, place...).(map[string]any)
	}
	if err := c.headers(answer.Header, response); err != nil {
		return nil, err
	}
	return c.body(answer.Header.Get("Content-Type"), response, place)
}

// stray is the answer to what the document does not know: a problem that says so, or that the request went wrong before
// anybody looked.
func (c *contract) stray(answer *http.Response) (judge, error) {
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode < 400 || kind != fault.ContentType {
		return nil, fmt.Errorf("the document has no such operation, and the answer is %d %s", answer.StatusCode, kind)
	}
	schema, err := c.schema("components", "schemas", "Problem")
	return &oneDocument{schema: schema}, err
}

// plumbing are the headers that HTTP itself has, and no promise names.
var plumbing = []string{"Cache-Control", "Connection", "Content-Length", "Content-Type", "Date", "Transfer-Encoding", "Vary",
	"X-Accel-Buffering", "X-Content-Type-Options"}

func (c *contract) headers(have http.Header, response map[string]any) error {
	promised, _ := response["headers"].(map[string]any)
	for name := range have {
		if !slices.Contains(plumbing, name) && promised[spelled(promised, name)] == nil {
			return fmt.Errorf("the header %s is not described", name)
		}
	}
	for name, described := range promised {
		ref, _ := in(described, "$ref").(string)
		place := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		value := have.Get(name)
		if value == "" {
			if in(in(c.document, place...), "required") == true {
				return fmt.Errorf("the header %s is missing", name)
			}
			continue
		}
		if err := c.header(value, place); err != nil {
			return fmt.Errorf("the header %s is %q: %w", name, value, err)
		}
	}
	return nil
}

// spelled gives a header's name as the document spells it.
func spelled(promised map[string]any, name string) string {
	for as := range promised {
		if strings.EqualFold(as, name) {
			return as
		}
	}
	return name
}

func (c *contract) header(value string, place []string) error {
	schema, err := c.schema(append(place, "schema")...)
	if err != nil {
		return err
	}
	var read any = value
	if schema.Types != nil && schema.Types.String() == "[integer]" {
		read = json.Number(value)
	}
	return schema.Validate(read)
}

// body finds what judges the body of a media type.
func (c *contract) body(kind string, response map[string]any, place []string) (judge, error) {
	content, _ := response["content"].(map[string]any)
	if len(content) == 0 {
		return nothing{}, nil
	}
	media, _, err := mime.ParseMediaType(kind)
	if err != nil || content[media] == nil {
		return nil, fmt.Errorf("the media type %q is not described", kind)
	}
	place = append(slices.Clone(place), "content", media)
	switch {
	case in(content[media], "schema", "contentSchema") != nil:
		schema, err := c.schema(append(place, "schema", "contentSchema")...)
		return &lineByLine{schema: schema, events: media == "text/event-stream"}, err
	case strings.HasSuffix(media, "json"):
		schema, err := c.schema(append(place, "schema")...)
		return &oneDocument{schema: schema}, err
	}
	return nil, nil
}

// judge is shown a body as it is read.
type judge interface {
	read(piece []byte) error
	end() error // the body is whole
}

// judged is a body whose reader a judge looks over the shoulder.
type judged struct {
	io.ReadCloser
	judge judge
	fail  func(error)
}

// Read implements io.Reader.
func (j *judged) Read(into []byte) (int, error) {
	n, err := j.ReadCloser.Read(into)
	if j.judge == nil {
		return n, err
	}
	verdict := j.judge.read(into[:n])
	if verdict == nil && errors.Is(err, io.EOF) {
		verdict = j.judge.end()
	}
	if verdict != nil {
		j.fail(verdict)
	}
	if verdict != nil || err != nil {
		j.judge = nil
	}
	return n, err
}

// nothing is the judge of an answer without a body.
type nothing struct{}

func (nothing) read(piece []byte) error {
	if len(piece) > 0 {
		return fmt.Errorf("there is one: %.200s", piece)
	}
	return nil
}

func (nothing) end() error { return nil }

// oneDocument judges a JSON document.
type oneDocument struct {
	schema *jsonschema.Schema
	text   bytes.Buffer
}

func (w *oneDocument) read(piece []byte) error {
	_, err := w.text.Write(piece)
	return err
}

func (w *oneDocument) end() error { return validate(w.schema, w.text.Bytes()) }

func validate(schema *jsonschema.Schema, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		return fmt.Errorf("%w\n%.2000s", err, text)
	}
	return nil
}

// lineByLine judges a stream: NDJSON, or the data of server-sent events. Of a long one it looks at the beginning, and at
// every hundredth line after it.
type lineByLine struct {
	schema *jsonschema.Schema
	events bool
	line   []byte
	count  int
}

const lookedAt = 5000

func (l *lineByLine) read(piece []byte) error {
	for {
		end := bytes.IndexByte(piece, '\n')
		if end < 0 {
			l.line = append(l.line, piece...)
			return nil
		}
		l.line = append(l.line, piece[:end]...)
		piece = piece[end+1:]
		if err := l.judge(); err != nil {
			return err
		}
		l.line = l.line[:0]
	}
}

func (l *lineByLine) judge() error {
	text := l.line
	if l.events {
		var data bool
		if text, data = bytes.CutPrefix(text, []byte("data:")); !data {
			return nil
		}
	}
	l.count++
	if l.count > lookedAt && l.count%100 != 0 && !bytes.HasPrefix(text, []byte(`{"e`)) {
		return nil
	}
	return validate(l.schema, text)
}

func (l *lineByLine) end() error {
	if len(l.line) > 0 {
		return errors.New("it ends within a line")
	}
	return nil
}
