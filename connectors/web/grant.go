package web

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"gantry/connectors"
)

// Grant is what a login came to: a header that every request carries.
type Grant struct {
	Header, Value string
	ends          time.Time // zero: the system does not say
}

// maxMargin is how long before its end a login is renewed at most.
const maxMargin = 10 * time.Second

// Basic is the grant of a user and a password that are sent with every request: RFC 7617.
func Basic(user string, password connectors.Secret) *Grant {
	return &Grant{Header: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password.Reveal()))}
}

// Apply puts the grant into a request.
func (g *Grant) Apply(h http.Header) {
	if g.Header != "" {
		h.Set(g.Header, g.Value)
	}
}

// Secret is the part of the grant that is one: behind a scheme, or a cookie's name.
func (g *Grant) Secret() string {
	_, value, named := strings.Cut(g.Value, "=")
	if g.Header == "Cookie" && named {
		return value
	}
	if _, value, schemed := strings.Cut(g.Value, " "); schemed {
		return value
	}
	return g.Value
}

// Lasting gives a grant its end, a little before the system's own, so that no request is under way when it comes. 0: nobody knows.
func (g *Grant) Lasting(lifetime time.Duration) *Grant {
	if lifetime > 0 {
		g.ends = time.Now().Add(lifetime - min(lifetime/5, maxMargin))
	}
	return g
}

// Over tells whether the end has come.
func (g *Grant) Over() bool { return !g.ends.IsZero() && time.Now().After(g.ends) }
