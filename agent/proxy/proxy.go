// Package proxy finds the proxy on the way to the relay, and tells where it is set.
//
// A proxy is looked for in three places, and the first that names one holds: the configuration (`proxy.url`), the
// environment of the process that dials (HTTPS_PROXY), and the settings of the operating system (Windows: WinHTTP, a PAC
// file, WPAD). `proxy.no_proxy` holds for all of them, the environment's NO_PROXY for the environment's proxy. A tunnel is
// CONNECT, whatever the scheme of the relay's URL, so it is always the proxy for HTTPS.
//
// The Origin of a Route says which place it was: a service does not see the environment or the settings of the person who
// asks why it is offline. The package dials nothing, and shows a login to nobody but tunnel.Dialer.
package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"gantry/configs"
)

// The origins, as they are shown. Those of the environment and of Windows say more.
const (
	OriginConfiguration = "configuration"
	OriginWindows       = "Windows settings"
	OriginPAC           = "PAC"
	OriginWPAD          = "PAC found by WPAD"
)

// Route is how the relay is reached.
type Route struct {
	URL    *url.URL // the proxy, with its login; nil: there is none, the way is direct
	Origin string   // where that was set; empty: nowhere
	// Problem is a place that could not be asked, and was passed over: a PAC file that cannot be read.
	Problem string
}

// Address is the proxy's host and port, without a login; empty where the way is direct.
func (r Route) Address() string {
	switch {
	case r.URL == nil:
		return ""
	case r.URL.Port() == "":
		return r.URL.Hostname()
	}
	return net.JoinHostPort(r.URL.Hostname(), r.URL.Port())
}

// Environment is what a process was started with.
type Environment struct {
	Whose string                   // for the origin: the service
	Get   func(name string) string // os.Getenv, above all
}

// System is the operating system's settings.
type System interface {
	// For gives the proxy for an HTTPS URL: host:port, or nothing where none is set.
	For(target *url.URL) (Setting, error)
}

// Setting is what a System answers.
type Setting struct {
	Proxy  string // host:port, or a URL; empty: direct
	Origin string // empty: nothing is set
}

// Places are where a proxy is looked for.
type Places struct {
	Config      configs.Proxy
	Environment Environment
	System      System // nil: it has no settings

	password string
}

// Here are the places that this process sees. whose says what it is: the service, or this command. The error is that
// of reading the proxy's password.
func Here(config configs.Proxy, whose string) (*Places, error) {
	p := &Places{Config: config, Environment: Environment{Whose: whose, Get: os.Getenv}, System: system()}
	if config.PasswordFile == "" {
		return p, nil
	}
	password, err := os.ReadFile(config.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("read the proxy's password: %w", err)
	}
	p.password = strings.TrimRight(string(password), "\r\n")
	return p, nil
}

// Proxy is tunnel.Dialer's: the proxy for a target, with its login.
func (p *Places) Proxy(target *url.URL) (*url.URL, error) {
	route, err := p.Route(target)
	return route.URL, err
}

// Route tells how the target is reached. The error says that a proxy is set and cannot be used; it repeats no URL, which
// may hold a password.
func (p *Places) Route(target *url.URL) (Route, error) {
	secure := *target
	secure.Scheme = "https"
	if bypassed(p.Config.NoProxy, &secure) {
		return Route{Origin: OriginConfiguration + " (proxy.no_proxy)"}, nil
	}
	route, err := p.find(&secure)
	if err == nil && route.URL != nil && p.Config.Username != "" && route.URL.User == nil {
		route.URL.User = url.UserPassword(p.Config.Username, p.password)
	}
	return route, err
}

func (p *Places) find(target *url.URL) (Route, error) {
	if p.Config.URL != "" {
		return parse(p.Config.URL, OriginConfiguration)
	}
	route, err := p.environment(target)
	if err != nil || route.Origin != "" || p.System == nil {
		return route, err
	}
	setting, err := p.System.For(target)
	if err != nil {
		return Route{Problem: err.Error()}, nil
	}
	if setting.Proxy == "" {
		return Route{Origin: setting.Origin}, nil
	}
	return parse(setting.Proxy, setting.Origin)
}

// environment asks HTTPS_PROXY and NO_PROXY, in capitals or small letters.
func (p *Places) environment(target *url.URL) (Route, error) {
	name, value := p.variable("HTTPS_PROXY")
	if value == "" {
		return Route{}, nil
	}
	route, err := parse(value, "environment "+name+" of "+p.Environment.Whose)
	if err != nil {
		return route, err
	}
	_, skip := p.variable("NO_PROXY")
	config := httpproxy.Config{HTTPSProxy: value, NoProxy: skip}
	if proxy, err := config.ProxyFunc()(target); err != nil || proxy == nil {
		return Route{Origin: "environment NO_PROXY of " + p.Environment.Whose}, nil
	}
	return route, nil
}

// variable gives the spelling that is set, and its value.
func (p *Places) variable(name string) (spelling, value string) {
	small := strings.ToLower(name)
	if value := p.Environment.Get(small); value != "" {
		return small, value
	}
	return name, p.Environment.Get(name)
}

// parse reads a proxy's address, which may come without its scheme.
func parse(text, origin string) (Route, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	proxy, err := url.Parse(text)
	if err != nil || proxy.Hostname() == "" {
		return Route{Origin: origin}, errors.New("the proxy named by " + cmp.Or(origin, "the settings") + " is no address")
	}
	return Route{URL: proxy, Origin: origin}, nil
}

// bypassed tells whether a list in the form of NO_PROXY names the target. httpproxy never sends a loopback address
// through a proxy; here it is one like any other.
func bypassed(list []string, target *url.URL) bool {
	direct := func(skip string) bool {
		proxy, err := (&httpproxy.Config{HTTPSProxy: "http://proxy.invalid", NoProxy: skip}).ProxyFunc()(target)
		return err == nil && proxy == nil
	}
	if direct("") {
		return slices.Contains(list, target.Hostname()) || slices.Contains(list, target.Host) || slices.Contains(list, "*")
	}
	return len(list) > 0 && direct(strings.Join(list, ","))
}
