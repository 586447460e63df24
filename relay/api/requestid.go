package api

import (
	"context"
	"crypto/rand"
	"net/http"
)

// headerRequestID is on every answer.
const headerRequestID = "Request-Id"

// maxRequestID bounds a caller's own request id, in bytes.
const maxRequestID = 64

type requestIDKey struct{}

// requestID keeps the caller's own id if it is a sane one, or makes one of 130 random bits.
func requestID(r *http.Request) string {
	if id := r.Header.Get(headerRequestID); saneID(id) {
		return id
	}
	return "req_" + rand.Text()
}

// saneID takes what can stand in a log line, a header and a shell without quotes.
func saneID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for _, c := range []byte(id) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '-' && c != '_' && c != '.' && c != ':' {
			return false
		}
	}
	return true
}

func withRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// requestIDOf gives the id of the request whose context it is.
func requestIDOf(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
