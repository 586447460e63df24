package connectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxBodyDepth bounds how deep a request's body nests.
const maxBodyDepth = 16

// DecodeBody reads a JSON object that a caller sent: numbers stay json.Number, so that none loses a digit; a member that
// stands there twice, trailing text and deep nesting are errors.
func DecodeBody(raw []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	value, err := decodeValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON value")
	}
	body, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return body, nil
}

func decodeValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxBodyDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxBodyDepth)
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(decoder, depth)
	case json.Delim('['):
		return decodeArray(decoder, depth)
	}
	return token, nil
}

func decodeObject(decoder *json.Decoder, depth int) (any, error) {
	out := map[string]any{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("the member %q stands there twice", name)
		}
		if out[name], err = decodeValue(decoder, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return out, err
}

func decodeArray(decoder *json.Decoder, depth int) (any, error) {
	out := []any{}
	for decoder.More() {
		item, err := decodeValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	_, err := decoder.Token()
	return out, err
}
