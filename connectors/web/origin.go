package web

import (
	"net/url"
	"strings"

	"gantry/connectors"
)

// parseAddress reads the address of a system. It holds no login and no query: those are the driver's to send.
func parseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, connectors.Misuse("the address must look like https://erp.plant.local:8443/")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, connectors.Misuse("the address must have no user, no query and no fragment")
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u, nil
}

// sameOrigin compares scheme, host and port, a port that goes without saying included.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b) && a.User == nil
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// Origin is the scheme, host and port that the client speaks to.
func (c *Client) Origin() string { return c.base.Scheme + "://" + c.base.Host }

// Resolve gives the URL of a link that the system handed out: a next page, a record's own address. One that leads to
// another origin is refused; with rebase its path and query are taken at the connection's own, for systems that print a
// name that is theirs alone.
func (c *Client) Resolve(link string, rebase bool) (string, error) {
	u, err := c.base.Parse(link)
	if err != nil || len(link) > maxHeader {
		return "", answered("link", "The system gave a link that is none.", nil)
	}
	u.Fragment = ""
	if sameOrigin(u, c.base) {
		return u.String(), nil
	}
	if !rebase || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return "", answered("link", "The system gave a link that leads to another server; the login is not sent there.", nil)
	}
	u.Scheme, u.Host = c.base.Scheme, c.base.Host
	return u.String(), nil
}
