package records

import (
	"bytes"
	"encoding/json"
)

// Project keeps the members of a document that are wanted, in their order. Names of custom fields choose among those.
// What tells of the record as such, its id, its etag and its warnings, always stays.
func Project(document []byte, wanted map[string]bool) ([]byte, error) {
	return members(document, func(name string, value json.RawMessage) (json.RawMessage, error) {
		switch {
		case wanted[name], name == "id", name == "etag", name == "_warnings":
			return value, nil
		case name == "custom_fields":
			return custom(value, wanted)
		}
		return nil, nil
	})
}

func custom(object json.RawMessage, wanted map[string]bool) (json.RawMessage, error) {
	chosen, err := members(object, func(name string, value json.RawMessage) (json.RawMessage, error) {
		if !wanted[name] {
			return nil, nil
		}
		return value, nil
	})
	if err != nil || len(chosen) <= len("{}") {
		return nil, err
	}
	return chosen, nil
}

// members rewrites an object member by member; nil leaves one out.
func members(object []byte, keep func(name string, value json.RawMessage) (json.RawMessage, error)) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, len(object)), '{')
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if value, err = keep(name, value); err != nil {
			return nil, err
		}
		if value != nil {
			out = appendMember(out, name, value)
		}
	}
	return append(out, '}'), nil
}
