package api

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"gantry/tunnel/fault"
)

// bodyTime is how long a caller may take to send a whole body: a slow writer holds a place no longer.
const bodyTime = 30 * time.Second

// readBody reads a request's whole JSON body. An absent body is an error, too.
func (a *API) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := jsonType(r); err != nil {
		return nil, err
	}
	limit := a.limits.Body
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body, err := a.timedRead(w, r, limit)
	if err != nil {
		return nil, err
	}
	if !json.Valid(body) {
		return nil, fault.New(fault.InvalidRequest, "The body is not well-formed JSON.").Member("body", "INVALID", "not well-formed JSON")
	}
	return body, nil
}

// optionalBody is readBody where no body means an empty document.
func (a *API) optionalBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength == 0 {
		return []byte("{}"), nil
	}
	return a.readBody(w, r)
}

// noBody refuses a body on a request that takes none: what would be ignored is better told.
func noBody(r *http.Request) error {
	if r.ContentLength == 0 {
		return nil
	}
	return fault.New(fault.InvalidRequest, "This request takes no body.").Member("body", "UNKNOWN", "leave the body out")
}

// timedRead reads the body under a deadline of its own, and takes the deadline away: left in place it would end the
// call when it passes, since the server goes on reading to see the caller leave.
func (a *API) timedRead(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime)) // a writer without deadlines (a test's) just has none
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		_ = control.SetReadDeadline(time.Time{})
		return body, nil
	}
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge(limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fault.New(fault.InvalidRequest, "The body did not arrive within %s.", bodyTime).Because(err)
	}
	return nil, fault.New(fault.Cancelled, "The body was cut off.").Because(err)
}

func tooLarge(limit int64) *fault.Error {
	return fault.New(fault.PayloadTooLarge, "The body is larger than %d bytes.", limit)
}

func jsonType(r *http.Request) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, given := params["charset"]
	if err != nil || kind != "application/json" && kind != "application/merge-patch+json" || given && !strings.EqualFold(charset, "utf-8") {
		return fault.New(fault.UnsupportedMediaType, "The body must be JSON in UTF-8, and Content-Type must say so.")
	}
	return nil
}

// decode reads one of our own documents: a JSON object without unknown members. The error lists every unknown one.
func decode[T any](body []byte) (T, error) {
	var document T
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return document, fault.New(fault.InvalidRequest, "The body must be a JSON object.").Member("body", "INVALID", "must be an object")
	}
	known := memberNames(reflect.TypeFor[T]())
	problem := fault.New(fault.InvalidRequest, "The body has unknown members.")
	for name := range members {
		if !known[name] && len(problem.Fields) < 16 {
			problem.Member(clip(name), "UNKNOWN", "there is no such member")
		}
	}
	if len(problem.Fields) > 0 {
		return document, problem
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return document, mistyped(err)
	}
	return document, nil
}

// mistyped names the member of the wrong type. The cause is not kept: it may quote the value, which may be a secret.
func mistyped(err error) error {
	name := "body"
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		name = clip(e.Field)
	}
	return fault.New(fault.InvalidRequest, "A member of the body has the wrong type.").Member(name, "INVALID", "wrong type")
}

func memberNames(t reflect.Type) map[string]bool {
	names := make(map[string]bool, t.NumField())
	for field := range t.Fields() {
		if field.Anonymous {
			maps.Copy(names, memberNames(field.Type))
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}

// clip bounds a foreign name in an answer.
func clip(s string) string {
	if r := []rune(s); len(r) > 64 {
		return string(r[:64]) + "…"
	}
	return s
}
