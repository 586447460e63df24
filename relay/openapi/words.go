package openapi

import "reflect"

// The media types that the API speaks beside problem documents.
const (
	JSON       = "application/json"
	MergePatch = "application/merge-patch+json"
	NDJSON     = "application/x-ndjson"
	SSE        = "text/event-stream"
	PlainText  = "text/plain"
	Binary     = "application/octet-stream"
)

// Takes is a JSON body that must be there.
func Takes[T any](text string) *Body { return &Body{Text: text, Type: reflect.TypeFor[T]()} }

// MayTake is a JSON body that may be left out.
func MayTake[T any](text string) *Body {
	return &Body{Text: text, Type: reflect.TypeFor[T](), Optional: true}
}

// In says in which media types a body may come.
func (b *Body) In(media ...string) *Body { b.Media = media; return b }

// Gives is an answer with a JSON document.
func Gives[T any](status int, text string) Answer {
	return Answer{Status: status, Text: text, Bodies: []Content{{Media: JSON, Type: reflect.TypeFor[T]()}}}
}

// Passes is an answer in a media type that is not JSON.
func Passes(status int, media, text string) Answer {
	return Answer{Status: status, Text: text, Bodies: []Content{{Media: media}}}
}

// Empty is an answer without a body.
func Empty(status int, text string) Answer { return Answer{Status: status, Text: text} }

// OrLines says that the answer also comes as a stream, a document of T a line, to a caller that accepts the media type.
func OrLines[T any](a Answer, media string) Answer {
	a.Bodies = append(a.Bodies, Content{Media: media, Type: reflect.TypeFor[T](), Lines: true})
	return a
}

// Lines is an answer that comes as a stream of NDJSON, a document of T a line.
func Lines[T any](status int, text string) Answer {
	return Answer{Status: status, Text: text, Bodies: []Content{{Media: NDJSON, Type: reflect.TypeFor[T](), Lines: true}}}
}

// With adds headers to an answer.
func (a Answer) With(headers ...Header) Answer {
	a.Headers = append(a.Headers, headers...)
	return a
}

// TextParameter is a parameter of the query that is a text.
func TextParameter(name, text string) Parameter {
	return Parameter{Name: name, Text: text, Type: reflect.TypeFor[string]()}
}

// OneOf is a parameter that is one of a list of words.
func OneOf(name, text string, values ...string) Parameter {
	return Parameter{Name: name, Text: text, Type: reflect.TypeFor[string](), Values: values}
}

// Number is a parameter that is a whole number within bounds.
func Number(name, text string, least, most, usual int) Parameter {
	return Parameter{Name: name, Text: text, Type: reflect.TypeFor[int](), Min: least, Max: most, Default: usual}
}

// Flag is a parameter that is true or false.
func Flag(name, text string) Parameter {
	return Parameter{Name: name, Text: text, Type: reflect.TypeFor[bool](), Default: false}
}

// Moment is a parameter that is an instant.
func Moment(name, text string) Parameter {
	return Parameter{Name: name, Text: text, Type: reflect.TypeFor[string](), Format: "date-time"}
}

// Paging are the parameters of every list.
func Paging(more ...Parameter) []Parameter {
	return append(more,
		Number("limit", "How many to give at most.", 1, 500, 100),
		TextParameter("cursor", "`next_cursor` of the page before, to go on behind it. It continues the same query; another one is refused."))
}
