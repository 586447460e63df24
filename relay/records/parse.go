package records

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Bounds of a record.
const (
	maxID      = 512
	maxStatus  = 128
	maxMembers = 512
)

// Record is one record as the source showed it.
type Record struct {
	ID        string
	Document  json.RawMessage // as it came, without what holds only for the moment (`_actions`)
	Hash      [16]byte        // of the document: two records with one hash are the same
	CreatedAt time.Time
	UpdatedAt time.Time // zero: the system does not tell
	DeletedAt time.Time // the system's own flag
	Status    string    // canonical
}

// Parse reads a record of an agent. It takes only what is a record by the contract: an object with an id, and with times
// and a status where it has them.
func Parse(raw []byte) (Record, error) {
	var r Record
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return r, errors.New("a record is no object")
	}
	document := append(make([]byte, 0, len(raw)), '{')
	seen := make(map[string]bool, 32)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return r, fmt.Errorf("read record: %w", err)
		}
		name, _ := token.(string) // a member's name is a string, or Token fails
		if seen[name] || len(seen) == maxMembers {
			return r, fmt.Errorf("a record has the member %.40q twice, or too many", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return r, fmt.Errorf("read record: %w", err)
		}
		if name == "_actions" {
			continue
		}
		if err := r.member(name, value); err != nil {
			return r, err
		}
		document = appendMember(document, name, value)
	}
	if _, err := decoder.Token(); err != nil {
		return r, fmt.Errorf("read record: %w", err)
	}
	if r.ID == "" {
		return r, errors.New("a record has no id")
	}
	r.Document = append(document, '}')
	r.hash()
	return r, nil
}

func (r *Record) hash() {
	sum := sha256.Sum256(r.Document)
	copy(r.Hash[:], sum[:])
}

func appendMember(b []byte, name string, value []byte) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	quoted, _ := json.Marshal(name) // a string always can be
	return append(append(append(b, quoted...), ':'), value...)
}

// member takes what the store needs beside the document.
func (r *Record) member(name string, value json.RawMessage) error {
	var err error
	switch name {
	case "id":
		if err = json.Unmarshal(value, &r.ID); err == nil && len(r.ID) > maxID {
			err = errors.New("too long")
		}
	case "created_at":
		r.CreatedAt, err = moment(value)
	case "updated_at":
		r.UpdatedAt, err = moment(value)
	case "deleted_at":
		r.DeletedAt, err = moment(value)
	case "status":
		var status struct {
			Value string `json:"value"`
		}
		if json.Unmarshal(value, &status) == nil && len(status.Value) <= maxStatus { // an entity's status may be a plain text
			r.Status = status.Value
		}
	}
	if err != nil {
		return fmt.Errorf("the record's %s: %w", name, err)
	}
	return nil
}

func moment(value json.RawMessage) (time.Time, error) {
	var at *time.Time
	if err := json.Unmarshal(value, &at); err != nil || at == nil {
		return time.Time{}, err
	}
	return at.UTC(), nil
}
