package odata

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"gantry/connectors"
	"gantry/connectors/web"
)

// The boundaries of what we send. A value of a caller stands in JSON, where a line's end is escaped: none can end a part.
const (
	batchBoundary = "gantry-batch"
	setBoundary   = "gantry-set"
	maxParts      = 1000
)

// changeSet sends a batch whose calls are all done, or none.
func (c *conn) changeSet(ctx context.Context, m *model, service string, s *statement, vars connectors.Vars) (connectors.Effect, error) {
	none := connectors.Effect{Affected: -1}
	calls, err := c.calls(m, s, vars)
	if err != nil {
		return none, err
	}
	write := multipartOf
	if c.protocol.json {
		write = jsonOf
	}
	accept := media
	if c.w.dialect == v4 {
		accept = mediaV4
	}
	body, kind, err := write(calls, accept)
	if err != nil {
		return none, err
	}
	r, err := c.request(http.MethodPost, service+"$batch", nil)
	if err != nil {
		return none, err
	}
	r.Body = body
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", strings.Split(kind, ";")[0])
	answer, err := c.call(ctx, r, nil)
	if err != nil {
		return none, err
	}
	parts, err := partsOf(answer)
	if err != nil {
		return none, unknown("the batch's answer cannot be read: " + err.Error())
	}
	first, err := c.judged(parts, len(calls))
	if err != nil {
		return none, err
	}
	effect, err := c.ended(m, s.batch[0].statement, calls[0].at, first)
	effect.Affected = int64(len(calls))
	return effect, err
}

// calls writes the calls of a batch: those of a list for each of its members.
func (c *conn) calls(m *model, s *statement, vars connectors.Vars) ([]call, error) {
	var out []call
	for _, one := range s.batch {
		all := []connectors.Vars{vars}
		if one.list != "" {
			list, ok := vars[one.list].([]connectors.Vars)
			if !ok && vars[one.list] != nil {
				return nil, connectors.Misuse("%s is no list", one.list)
			}
			all = list
		}
		for _, values := range all {
			made, err := c.prepare(m, one.statement, values, vars)
			if err != nil {
				return nil, err
			}
			if out = append(out, made); len(out) > maxParts {
				return nil, connectors.Misuse("a batch has more than %d calls", maxParts)
			}
		}
	}
	if len(out) == 0 {
		return nil, connectors.Misuse("the batch has no call: its list is empty")
	}
	return out, nil
}

// address is the call's, relative to the service.
func (c call) address() string {
	if len(c.options) == 0 {
		return c.at.path
	}
	return c.at.path + "?" + strings.Join(c.options, "&")
}

// multipartOf writes a batch with one change set, as both versions know it.
func multipartOf(calls []call, accept string) (body []byte, kind string, err error) {
	var set bytes.Buffer
	inner := multipart.NewWriter(&set)
	if err := inner.SetBoundary(setBoundary); err != nil {
		return nil, "", err
	}
	for i, c := range calls {
		part, err := inner.CreatePart(textproto.MIMEHeader{
			"Content-Type": {"application/http"}, "Content-Transfer-Encoding": {"binary"}, "Content-ID": {strconv.Itoa(i + 1)},
		})
		if err != nil {
			return nil, "", err
		}
		header := c.header.Clone()
		header.Set("Accept", accept)
		header.Set("Content-Length", strconv.Itoa(len(c.body)))
		fmt.Fprintf(part, "%s %s HTTP/1.1\r\n", c.method, c.address())
		if err := header.Write(part); err != nil {
			return nil, "", err
		}
		fmt.Fprintf(part, "\r\n%s", c.body)
	}
	if err := inner.Close(); err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	outer := multipart.NewWriter(&out)
	if err := outer.SetBoundary(batchBoundary); err != nil {
		return nil, "", err
	}
	part, err := outer.CreatePart(textproto.MIMEHeader{"Content-Type": {"multipart/mixed; boundary=" + setBoundary}})
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(set.Bytes()); err != nil {
		return nil, "", err
	}
	err = outer.Close()
	return out.Bytes(), "multipart/mixed; boundary=" + batchBoundary, err
}

// part is the answer to one call.
type part struct {
	id string // of the call; "": the parts stand in their order
	*web.Response
}

// partsOf reads a batch's answer, of either form.
func partsOf(answer *reply) ([]part, error) {
	kind, params, err := mime.ParseMediaType(answer.header.Get("Content-Type"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("its Content-Type is %.80q", answer.header.Get("Content-Type"))
	case strings.HasPrefix(kind, "multipart/"):
		return readParts(answer.body, params["boundary"], 0)
	case kind == media:
		return readJSONParts(answer.body)
	}
	return nil, fmt.Errorf("it is %s", kind)
}

// readParts reads a multipart body, and the change sets within it.
func readParts(body []byte, boundary string, depth int) ([]part, error) {
	var out []part
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := reader.NextRawPart()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(p) // of a body that is bounded already
		if err != nil {
			return nil, err
		}
		kind, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		switch {
		case err != nil:
			return nil, err
		case strings.HasPrefix(kind, "multipart/") && depth == 0:
			inner, err := readParts(content, params["boundary"], depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
		case kind == "application/http":
			one, err := readPart(content)
			if err != nil {
				return nil, err
			}
			one.id = p.Header.Get("Content-Id")
			out = append(out, one)
		default:
			return nil, fmt.Errorf("a part of it is %s", kind)
		}
		if len(out) > maxParts {
			return nil, fmt.Errorf("it has more than %d parts", maxParts)
		}
	}
}

// readPart reads an answer of HTTP. Its length is that of the part, whatever it says itself.
func readPart(content []byte) (part, error) {
	head, body, found := bytes.Cut(content, []byte("\r\n\r\n"))
	if !found {
		head, body, _ = bytes.Cut(content, []byte("\n\n"))
	}
	r := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(head), strings.NewReader("\r\n\r\n"))))
	line, err := r.ReadLine()
	if err != nil {
		return part{}, err
	}
	fields := strings.Fields(line)
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "HTTP/") {
		return part{}, fmt.Errorf("a part of it begins with %.40q", line)
	}
	status, err := strconv.Atoi(fields[1])
	if err != nil || status < 100 || status > 599 {
		return part{}, fmt.Errorf("a part of it has the status %.10q", fields[1])
	}
	header, err := r.ReadMIMEHeader()
	if err != nil {
		return part{}, err
	}
	return part{"", &web.Response{Status: status, Header: http.Header(header), Body: bytes.TrimSpace(body)}}, nil
}

// judged holds the answers against the calls: one that failed voids them all, whatever the others say. It gives the first call's.
func (c *conn) judged(parts []part, calls int) (*web.Response, error) {
	var failed *web.Response
	first := (*web.Response)(nil)
	for i, p := range parts {
		if p.id == "1" || first == nil && i == 0 {
			first = p.Response
		}
		_, err := c.value(&reply{header: p.Header, body: p.Body})
		bad := p.Status >= http.StatusMultipleChoices || err != nil
		if bad && (failed == nil || failed.Status == http.StatusFailedDependency) {
			failed = p.Response
		}
	}
	switch {
	case failed != nil:
		return nil, ofAnEffect(c.refusal(failed))
	case len(parts) != calls || first == nil:
		return nil, unknown(fmt.Sprintf("the batch's answer tells of %d of %d calls", len(parts), calls))
	}
	return first, nil
}
