package passage

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"gantry/connectors"
	"gantry/connectors/wire"
)

// answerHeaders are those of an answer that may pass: none of them can hold a session.
var answerHeaders = []string{
	"Allow", "Content-Disposition", "Content-Language", "Content-Type", "DataServiceVersion", "ETag", "Last-Modified", "Link", "Location",
	"OData-EntityId", "OData-Version", "Preference-Applied", "Retry-After", "SAP-Message", "X-Total-Count",
}

// Write gives the document of an answer. clean takes secrets out of what the system wrote.
func Write(answer connectors.Passed, clean func([]byte) []byte) wire.PassedThrough {
	out := wire.PassedThrough{Status: answer.Status, Headers: map[string]string{}, Encoding: "json"}
	for _, name := range answerHeaders {
		if values := answer.Header.Values(name); len(values) > 0 {
			out.Headers[name] = strings.ToValidUTF8(string(clean([]byte(strings.Join(values, ", ")))), "\ufffd")
		}
	}
	body := clean(answer.Body)
	switch {
	case len(body) == 0:
		out.Body = json.RawMessage("null")
	case utf8.Valid(body) && json.Valid(body):
		out.Body = body
	case utf8.Valid(body) && bytes.IndexByte(body, 0) < 0:
		out.Body, out.Encoding = marshal(string(body)), "text"
	default:
		out.Body, out.Encoding = marshal(body), "base64"
	}
	return out
}

// marshal writes a text, or bytes as the base64 that encoding/json makes of them.
func marshal[T string | []byte](v T) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // neither can fail
	}
	return raw
}
