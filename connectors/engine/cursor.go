package engine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"gantry/connectors"
)

const (
	minCursorKey = 16
	macSize      = 16 // bytes: half of an HMAC-SHA256, which no one guesses
	maxCursor    = 8 << 10
)

// A cursor is base64url(MAC ‖ position). The position is the keyset's values of the last record, a JSON list of tagged
// strings ("i42", "sA-7"); the MAC binds it to the connection, the entity and the query.
func (e *Engine) cursor(t *table, fingerprint []byte, row connectors.Row) (string, bool) {
	position := make([]string, 0, len(t.keyset()))
	for _, k := range t.keyset() {
		tagged, ok := tag(row[k.Name])
		if !ok {
			return "", false
		}
		position = append(position, tagged)
	}
	payload, err := json.Marshal(position)
	if err != nil {
		return "", false
	}
	return base64.RawURLEncoding.EncodeToString(append(e.sign(fingerprint, payload), payload...)), true
}

// openCursor gives the position; false for a cursor that is forged, damaged, or of another query.
func (e *Engine) openCursor(t *table, fingerprint []byte, cursor string) ([]any, bool) {
	if len(cursor) > maxCursor {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < macSize || base64.RawURLEncoding.EncodedLen(len(raw)) != len(cursor) {
		return nil, false // one position has one text: no stray bits, no line breaks
	}
	if !hmac.Equal(raw[:macSize], e.sign(fingerprint, raw[macSize:])) {
		return nil, false
	}
	var position []string
	if json.Unmarshal(raw[macSize:], &position) != nil || len(position) != len(t.keyset()) {
		return nil, false
	}
	values := make([]any, len(position))
	for i, tagged := range position {
		if values[i], err = untag(tagged); err != nil {
			return nil, false
		}
	}
	return values, true
}

func (e *Engine) sign(fingerprint, payload []byte) []byte {
	mac := hmac.New(sha256.New, e.cursorKey)
	mac.Write([]byte(e.connection + "\x00"))
	mac.Write(fingerprint) // of fixed length
	mac.Write(payload)
	return mac.Sum(nil)[:macSize]
}

// tag writes a native value so that its type comes back. A null has no place in an order.
func tag(v any) (string, bool) {
	switch v := v.(type) {
	case int64:
		return "i" + strconv.FormatInt(v, 10), true
	case float64:
		return "f" + strconv.FormatFloat(v, 'g', -1, 64), true
	case string:
		return "s" + v, true
	case bool:
		return "b" + strconv.FormatBool(v), true
	case time.Time:
		return "t" + v.UTC().Format(time.RFC3339Nano), true
	case []byte:
		return "x" + base64.StdEncoding.EncodeToString(v), true
	}
	return "", false
}

func untag(s string) (any, error) {
	if s == "" {
		return nil, strconv.ErrSyntax
	}
	switch kind, rest := s[0], s[1:]; kind {
	case 'i':
		return strconv.ParseInt(rest, 10, 64)
	case 'f':
		return strconv.ParseFloat(rest, 64)
	case 's':
		return rest, nil
	case 'b':
		return strconv.ParseBool(rest)
	case 't':
		return time.Parse(time.RFC3339Nano, rest)
	case 'x':
		return base64.StdEncoding.DecodeString(rest)
	}
	return nil, strconv.ErrSyntax
}
