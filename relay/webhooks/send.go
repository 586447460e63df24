package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gantry/relay/store"
)

// Bounds of one attempt.
const (
	sendTime   = 15 * time.Second
	maxAnswer  = 64 << 10 // bytes that are read, so that the connection can be used again; the rest ends it
	maxHeader  = 16 << 10
	maxProblem = 300 // characters
)

// answer is what came of one attempt.
type answer struct {
	due    store.DueDelivery
	at     time.Time
	status int           // 0: there was no answer
	asked  time.Duration // by the receiver: not again before
	err    error         // nil: delivered
}

// problem says what went wrong, to the webhook's owner.
func (a answer) problem() string {
	if a.err == nil {
		return ""
	}
	text := []rune(strings.ToValidUTF8(a.err.Error(), "�"))
	if len(text) > maxProblem {
		text = append(text[:maxProblem-1], '…')
	}
	return string(text)
}

// newClient makes the client for all receivers.
func newClient(guard Guard) *http.Client {
	dialer := &net.Dialer{Timeout: sendTime, ControlContext: guard.control}
	return &http.Client{
		Timeout: sendTime,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxIdleConns: 256, MaxIdleConnsPerHost: window, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send makes one attempt.
func (d *Dispatcher) send(ctx context.Context, to store.Endpoint, due store.DueDelivery) answer {
	a := answer{due: due}
	response, err := d.post(ctx, to, due)
	a.at = time.Now()
	if err != nil {
		a.err = told(err)
		return a
	}
	defer response.Body.Close() //nolint:errcheck // it was read as far as it counts
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	a.status, a.err = response.StatusCode, verdict(response.StatusCode)
	if a.err != nil {
		a.asked = retryAfter(response.Header.Get("Retry-After"), a.at)
	}
	return a
}

func (d *Dispatcher) post(ctx context.Context, to store.Endpoint, due store.DueDelivery) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(due.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", d.agent)
	if err := sign(request.Header, due.ID, time.Now(), due.Body, to.Secret, to.Former); err != nil {
		return nil, err
	}
	return d.client.Do(request)
}

// verdict says why a status is no success; nil: it is one.
func verdict(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return fmt.Errorf("the receiver answered %d: redirects are not followed, so give the webhook its new URL", status)
	}
	return fmt.Errorf("the receiver answered %d %s", status, http.StatusText(status))
}

// told gives the cause of a failure without what net/http wraps around it, which is the URL again.
func told(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		if wrapped.Timeout() {
			return fmt.Errorf("no answer within %s", sendTime)
		}
		err = wrapped.Err
	}
	if private, ok := errors.AsType[privateError](err); ok {
		return private
	}
	return err
}

// retryAfter reads how long a receiver wants to be left alone: seconds, or a date of HTTP (RFC 9110, 10.2.3). What cannot be
// read asks for nothing.
func retryAfter(text string, now time.Time) time.Duration {
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(text, 10, 63); err == nil {
		return time.Duration(min(seconds, uint64(longestAsk/time.Second))) * time.Second
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), longestAsk)
}
