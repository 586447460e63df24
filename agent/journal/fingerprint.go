package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// Fingerprint tells one request from another under the same key: SHA-256 over method, path and the body with its members
// sorted and its white space gone. Numbers keep their digits: 1 and 1.0 are two bodies. An empty body is its own. The
// error is one of JSON that does not parse.
func Fingerprint(method, path string, body []byte) ([32]byte, error) {
	canonical, err := canonical(body)
	if err != nil {
		return [32]byte{}, fmt.Errorf("fingerprint: %w", err)
	}
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(method), []byte(path), canonical} {
		_ = binary.Write(hash, binary.BigEndian, uint64(len(part))) // a hash never fails
		hash.Write(part)
	}
	return [32]byte(hash.Sum(nil)), nil
}

// canonical relies on encoding/json, which sorts the members of maps.
func canonical(body []byte) ([]byte, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}
