package main

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// The limit is two plain TLS reverse-proxy hops by net/http, without any multiplexing: what the physics of TLS and
// net/http allow a relay that parses and authorises every request. Gantry is measured as a ratio to it.

const limitToken = "limit-token"

// direct is the backend without anything between.
func direct(address string) *road { return over("direct", "http://"+address, newClient(nil)) }

// over is the backend behind something that looks at no request.
func over(name, base string, client *http.Client) *road {
	return &road{
		name: name, client: client,
		small: func(ctx context.Context) *http.Request { return get(ctx, base+"/record", "") },
		bulk: func(ctx context.Context, size int64) *http.Request {
			return get(ctx, fmt.Sprintf("%s/bulk?bytes=%d", base, size), "")
		},
	}
}

// limit builds the two hops in front of a backend. link lets a shaper stand between them.
func limit(l *lab, backend string, link func(address string) string) *road {
	inner := l.serveTLS(proxyTo("http://"+backend, nil))
	outer := l.serveTLS(authorised(proxyTo("https://"+link(inner), l.clientTLS())))
	base := "https://" + outer
	return &road{
		name: "limit", client: newClient(l.clientTLS()),
		small: func(ctx context.Context) *http.Request { return get(ctx, base+"/record", limitToken) },
		bulk: func(ctx context.Context, size int64) *http.Request {
			return get(ctx, fmt.Sprintf("%s/bulk?bytes=%d", base, size), limitToken)
		},
	}
}

// authorised looks at every request, as the relay must.
func authorised(next http.Handler) http.Handler {
	want := []byte("Bearer " + limitToken)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func proxyTo(target string, config *tls.Config) http.Handler {
	to, err := url.Parse(target)
	if err != nil {
		panic(err) // our own address
	}
	return &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:  newClient(config).Transport,
		BufferPool: &pool{},
		ErrorLog:   log.New(discard{}, "", 0),
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

type pool struct{ buffers sync.Pool }

func (p *pool) Get() []byte {
	if b, ok := p.buffers.Get().([]byte); ok {
		return b
	}
	return make([]byte, 64<<10)
}

//lint:ignore SA6002 a header's allocation is small beside 64 KiB

func (p *pool) Put(b []byte) { p.buffers.Put(b) }
