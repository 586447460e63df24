package web

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// Bounds of what is kept of an answer that is a fault.
const (
	maxMessage    = 2 << 10
	maxRetryAfter = time.Hour
)

var (
	errSlow = errors.New("the system did not answer in time")
)

func answered(status, message string, err error) *connectors.Failure {
	return &connectors.Failure{Kind: connectors.Answered, Status: status, Message: message, Source: map[string]any{"http": int64(0)}, Err: err}
}

// Refusal makes a Failure of an answer whose status says that the system did not do what it was asked. Source has the
// members http, the status, and location, where a redirect that was not followed leads.
func (r *Response) Refusal() *connectors.Failure {
	f := &connectors.Failure{
		Kind: connectors.Answered, Status: strconv.Itoa(r.Status), Message: r.text(), After: RetryAfter(r.Header, time.Now()),
		Source: map[string]any{"http": int64(r.Status), "location": Clip(r.Header.Get("Location"))},
	}
	if r.Status == http.StatusGatewayTimeout || r.Status == http.StatusBadGateway || r.Status == http.StatusRequestTimeout {
		f.Kind, f.Sent = connectors.TimedOut, true // a machine between us gave up: the system itself may go on
	}
	return f
}

// text is what a person can read of an answer: nothing of a page of HTML but its title.
func (r *Response) text() string {
	body := string(r.Body[:min(len(r.Body), 64<<10)])
	lower := strings.ToLower(body)
	if start := strings.Index(lower, "<title>"); start >= 0 && len(lower) == len(body) {
		if title, _, ok := strings.Cut(body[start+len("<title>"):], "<"); ok {
			return Clip(strings.TrimSpace(title))
		}
	}
	if strings.HasPrefix(strings.TrimSpace(body), "<") || strings.TrimSpace(body) == "" {
		return http.StatusText(r.Status)
	}
	return Clip(strings.TrimSpace(body))
}

// Clip keeps the beginning of a system's words.
func Clip(s string) string {
	if len(s) > maxMessage {
		end := maxMessage
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// RetryAfter reads the header of RFC 9110, section 10.2.3, seconds or a date; 0: there is none. Nobody is made to wait longer
// than an hour by it.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(value)
	if err != nil || !at.After(now) {
		return 0
	}
	return min(at.Sub(now), maxRetryAfter)
}

// explain turns an error of an exchange into what connectors.Conn promises. wrote: the system may have seen the
// request; sent: that may have had an effect.
func explain(ctx, call context.Context, err error, wrote, sent bool) error {
	if refusal, ok := errors.AsType[*fault.Error](err); ok {
		return refusal // of the plant's policy, by the dialer
	}
	failure := func(kind connectors.Kind, words string, cause error) error {
		return &connectors.Failure{Kind: kind, Message: words, Sent: sent, Err: cause, Source: map[string]any{"http": int64(0)}}
	}
	cause := context.Cause(call)
	switch {
	case ctx.Err() != nil && !sent:
		return context.Cause(ctx)
	case ctx.Err() != nil:
		return failure(connectors.Lost, "the call was given up after the request was sent", context.Cause(ctx))
	case errors.Is(cause, errClosed):
		return failure(connectors.Lost, errClosed.Error(), errClosed)
	case errors.Is(err, connectors.ErrTooLarge) && sent:
		return failure(connectors.Lost, connectors.ErrTooLarge.Error(), err) // what it says of the effect was not read
	case errors.Is(err, connectors.ErrTooLarge):
		return failure(connectors.Answered, connectors.ErrTooLarge.Error(), err)
	case errors.Is(cause, errSlow) && wrote:
		return failure(connectors.TimedOut, errSlow.Error(), cause)
	case wrote:
		return failure(connectors.Lost, "the connection to the system broke", err)
	}
	kind, words := unopened(err)
	return failure(kind, words, err)
}

// unopened says why no connection came to be, as far as our side can tell.
func unopened(err error) (connectors.Kind, string) {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return connectors.Insecure, "the system's certificate is not trusted: " + e.Err.Error()
	}
	_, alert := errors.AsType[tls.AlertError](err)
	if _, garbled := errors.AsType[tls.RecordHeaderError](err); alert || garbled {
		return connectors.Insecure, "the system and the agent found no TLS that both accept: is it http instead of https?"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return connectors.Unreachable, "the name of the system cannot be found"
	}
	return connectors.Unreachable, "the system could not be reached"
}
