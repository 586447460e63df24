package odata

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"gantry/connectors/web"
)

// The batch of version 4.01 in JSON: OData JSON Format, section 19.
type (
	jsonRequest struct {
		ID      string            `json:"id"`
		Group   string            `json:"atomicityGroup"`
		Method  string            `json:"method"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers,omitempty"`
		Body    json.RawMessage   `json:"body,omitempty"`
	}
	jsonBatch struct {
		Requests []jsonRequest `json:"requests"`
	}
)

// jsonOf writes a batch whose calls are one group.
func jsonOf(calls []call, accept string) (body []byte, kind string, err error) {
	var batch jsonBatch
	for i, c := range calls {
		one := jsonRequest{ID: strconv.Itoa(i + 1), Group: "set", Method: c.method, URL: c.address(), Body: c.body, Headers: map[string]string{"Accept": accept}}
		for name := range c.header {
			one.Headers[name] = c.header.Get(name)
		}
		batch.Requests = append(batch.Requests, one)
	}
	body, err = json.Marshal(batch)
	return body, media, err
}

func readJSONParts(body []byte) ([]part, error) {
	v, err := web.Decode(body)
	if err != nil {
		return nil, err
	}
	answers, ok := web.At(v, "responses").([]any)
	if !ok || len(answers) > maxParts {
		return nil, errors.New("it has no list of responses, or too many")
	}
	var out []part
	for _, one := range answers {
		status, err := strconv.Atoi(scalar(web.At(one, "status")))
		if err != nil || status < 100 || status > 599 {
			return nil, errors.New("a response has no status")
		}
		p := part{scalar(web.At(one, "id")), &web.Response{Status: status, Header: http.Header{}}}
		headers, _ := web.At(one, "headers").(map[string]any)
		for name, value := range headers {
			p.Header.Set(name, scalar(value))
		}
		if content := web.At(one, "body"); content != nil {
			if p.Body, err = json.Marshal(content); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}
