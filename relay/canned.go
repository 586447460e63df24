package relay

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"gantry/tunnel/fault"
)

// worded is a listener whose connections say net/http's own answers in the words of the contract. What net/http cannot
// parse never reaches a handler: it writes a line of plain text to the connection (http.conn.serve) and closes it. Each of
// those answers is one Write, which is recognised by its head and replaced.
//
// HTTP/2 is another matter: a header list beyond the limit that the relay announces there gets net/http's own 431, in HTML.
type worded struct{ net.Listener }

// Accept implements net.Listener.
func (l worded) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wordedConn{conn}, nil
}

type wordedConn struct{ net.Conn }

// Write implements net.Conn.
func (c wordedConn) Write(p []byte) (int, error) {
	problem := canned(p)
	if problem == nil {
		return c.Conn.Write(p)
	}
	if _, err := c.Conn.Write(encodeAnswer(problem)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite lets net/http end its side first, so that the caller reads the answer before the connection breaks.
func (c wordedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// cannedHead follows the status line of net/http's own answers. An answer of a handler always has a Date.
const cannedHead = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// canned gives the problem of an answer that net/http made itself; nil: it is another's.
func canned(p []byte) *fault.Error {
	if len(p) < 16 || !bytes.HasPrefix(p, []byte("HTTP/1.1 ")) {
		return nil
	}
	line, rest, _ := bytes.Cut(p, []byte("\r\n"))
	status := string(line[9:12])
	if status != "417" && !bytes.HasPrefix(rest, []byte(cannedHead[2:])) {
		return nil
	}
	switch status {
	case "431":
		return fault.New(fault.PayloadTooLarge, "The header of the request is too large.")
	case "417":
		return fault.New(fault.InvalidRequest, "The request expects something that the relay does not do.").
			Member("Expect", "INVALID", "100-continue, or none")
	case "501":
		return fault.New(fault.InvalidRequest, "The request's transfer encoding is not supported.").
			Member("Transfer-Encoding", "INVALID", "chunked, or none")
	}
	f := fault.New(fault.InvalidRequest, "The request is no well-formed HTTP/1.1.")
	if _, why, ok := strings.Cut(string(line), ": "); ok {
		f.Detail = fmt.Sprintf("The request is no well-formed HTTP/1.1: %s.", why)
	}
	return f
}

// encodeAnswer is the whole answer that ends a connection.
func encodeAnswer(problem *fault.Error) []byte {
	problem.RequestID = "req_" + rand.Text()
	body := &answerBuffer{header: http.Header{"Connection": {"close"}, "Request-Id": {problem.RequestID}}}
	problem.Write(body)
	var head bytes.Buffer
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\n", body.status, http.StatusText(body.status))
	_ = body.header.Write(&head) // a buffer takes everything
	_, _ = io.WriteString(&head, "\r\n")
	return append(head.Bytes(), body.Bytes()...)
}

// answerBuffer is a http.ResponseWriter in memory.
type answerBuffer struct {
	bytes.Buffer
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (b *answerBuffer) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b *answerBuffer) WriteHeader(status int) { b.status = status }
