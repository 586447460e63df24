package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"gantry/tunnel/fault"
)

// base is where the API lies.
const base = "/api/v1"

// maxAnswer bounds what is held of one answer, in bytes.
const maxAnswer = 8 << 20

// caller calls the API as the person who looks, in the same process.
type caller struct {
	api        http.Handler
	token      string
	request    *http.Request // the browser's: its context, and the address that it comes from
	connection string        // for which it speaks, where the operation is on a connection's data; "": none
}

// of gives a caller that speaks for a connection.
func (c caller) of(connection string) caller {
	c.connection = connection
	return c
}

// get reads a document. The error is the problem document's *fault.Error.
func (c caller) get(path string, into any) error { return c.call(http.MethodGet, path, nil, into) }

// call sends a document, or none, and reads the answer.
func (c caller) call(method, path string, body, into any) error {
	a, err := c.send(method, path, body)
	if err != nil {
		return err
	}
	return a.read(into)
}

// send gives the answer as it is.
func (c caller) send(method, path string, body any) (*answer, error) {
	r, err := c.ask(method, path, body)
	if err != nil {
		return nil, err
	}
	var a answer
	c.api.ServeHTTP(&a, r)
	return &a, nil
}

// ask makes the request.
func (c caller) ask(method, path string, body any) (*http.Request, error) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	target, err := url.Parse(base + path)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(c.request.Context(), method, target.String(), bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	r.RemoteAddr, r.Host, r.RequestURI = c.request.RemoteAddr, c.request.Host, target.RequestURI()
	r.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.connection != "" {
		r.Header.Set("Gantry-Connection", c.connection)
	}
	return r, nil
}

// answer takes what the API says.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.body.Len()+len(p) > maxAnswer {
		return 0, fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	return a.body.Write(p)
}

func (a *answer) read(into any) error {
	if a.status >= http.StatusBadRequest {
		f, err := fault.Decode(&a.body)
		if err != nil {
			return err
		}
		return f
	}
	if into == nil || a.status == http.StatusNoContent {
		return nil
	}
	return json.Unmarshal(a.body.Bytes(), into)
}
