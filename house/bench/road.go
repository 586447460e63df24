package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"
)

// road is one way to the backend. The requests differ from road to road; what comes back does not.
type road struct {
	name   string
	client *http.Client
	small  func(ctx context.Context) *http.Request
	bulk   func(ctx context.Context, size int64) *http.Request
}

// call makes one small call.
func (r *road) call(ctx context.Context) error {
	answer, err := r.client.Do(r.small(ctx))
	if err != nil {
		return err
	}
	_, err = drain(answer)
	return err
}

// stream reads size bytes of NDJSON and gives what arrived.
func (r *road) stream(ctx context.Context, size int64) (int64, error) {
	answer, err := r.client.Do(r.bulk(ctx, size))
	if err != nil {
		return 0, err
	}
	return drain(answer)
}

// newClient keeps enough connections for every caller of a row, as a well-set cloud client does.
func newClient(config *tls.Config) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: config, MaxIdleConnsPerHost: 128, IdleConnTimeout: time.Minute,
		DisableCompression: true, ReadBufferSize: 64 << 10, WriteBufferSize: 64 << 10,
	}}
}

// get makes a request with a bearer token.
func get(ctx context.Context, url, token string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err) // the address is our own
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}
