package logs

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// record is what a line says of itself.
type record struct {
	time  time.Time
	level slog.Level
	id    string
}

// parse reads a line in either format of slog; ok is false for one that is no record of ours.
func parse(text string) (r record, ok bool) {
	if strings.HasPrefix(text, "{") {
		return parseJSON(text)
	}
	return parseText(text)
}

func parseJSON(text string) (record, bool) {
	var members struct {
		Time      time.Time  `json:"time"`
		Level     slog.Level `json:"level"`
		RequestID string     `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(text), &members); err != nil || members.Time.IsZero() {
		return record{}, false
	}
	return record{members.Time, members.Level, members.RequestID}, true
}

// parseText reads `time=… level=… msg=… key=value`, where a value that needs it is quoted as Go does.
func parseText(text string) (r record, ok bool) {
	rest, found := strings.CutPrefix(text, "time=")
	if !found {
		return r, false
	}
	stamp, rest, _ := strings.Cut(rest, " ")
	var err error
	if r.time, err = time.Parse(time.RFC3339Nano, stamp); err != nil {
		return r, false
	}
	word, found := strings.CutPrefix(rest, "level=")
	if !found {
		return r, false
	}
	word, rest, _ = strings.Cut(word, " ")
	if r.level.UnmarshalText([]byte(word)) != nil {
		return r, false
	}
	r.id = attribute(rest, "request_id")
	return r, true
}

// attribute finds the value of a key among `key=value` pairs.
func attribute(pairs, key string) string {
	for pairs != "" {
		name, value, found := strings.Cut(pairs, "=")
		if !found {
			return ""
		}
		if quoted, err := strconv.QuotedPrefix(value); err == nil {
			value, pairs = quoted, value[len(quoted):]
		} else {
			value, pairs, _ = strings.Cut(value, " ")
		}
		pairs = strings.TrimPrefix(pairs, " ")
		if name == key {
			if plain, err := strconv.Unquote(value); err == nil {
				return plain
			}
			return value
		}
	}
	return ""
}

// reader makes Lines of texts in their order: one that is no record has the time, the level and the call of the one before.
type reader struct {
	source Source
	before record
}

func (r *reader) line(text string) Line {
	if now, ok := parse(text); ok {
		r.before = now
	}
	return Line{Time: r.before.time, Level: r.before.level, RequestID: r.before.id, Source: r.source, Text: text}
}
