package bundle

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// aliases give every host, address and name of the plant another, the same one wherever it stands: host-1, 192.0.2.… would be taken
// for real, so an address is address-1. What says nothing of the plant stays: the machine itself (127.0.0.1, ::1), any (0.0.0.0).
type aliases struct {
	known   map[string]string // in lower case
	pattern *regexp.Regexp    // of the known names; nil: none
	count   map[string]int
}

// addresses finds what may be an address; netip decides.
var (
	addresses = regexp.MustCompile(`(?i)\b\d{1,3}(?:\.\d{1,3}){3}\b|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}`)
	macs      = regexp.MustCompile(`(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b`)
	mails     = regexp.MustCompile(`\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b`)
)

// aliasesOf collects the names that the contents say are names.
func aliasesOf(c Contents) *aliases {
	a := &aliases{known: map[string]string{}, count: map[string]int{}}
	for _, h := range []*Host{c.Host, c.Inside} {
		if h == nil {
			continue
		}
		a.name("host", h.Hostname)
		for _, r := range h.Resolvers {
			if domains, ok := strings.CutPrefix(r, "search "); ok {
				for d := range strings.FieldsSeq(domains) {
					a.name("domain", d)
				}
			}
		}
		for _, v := range h.Variables {
			if strings.Contains(strings.ToUpper(v.Name), "PROXY") {
				for part := range strings.SplitSeq(v.Value, ",") {
					a.host(part)
				}
			}
		}
	}
	if s := c.Status; s != nil {
		a.host(s.Relay.URL)
		a.host(s.Relay.Proxy)
		for _, connection := range s.Connections {
			a.name("connection", connection.Name)
		}
	}
	if config := c.Config; config != nil {
		a.host(config.Proxy.URL)
		a.name("user", config.Proxy.Username)
		for _, target := range config.Policy.Targets {
			a.host(target)
		}
		for name := range config.Policy.Connections {
			a.name("connection", name)
		}
	}
	if c.Service != nil && c.Service.Account != "gantry-agent" {
		a.name("user", c.Service.Account)
	}
	a.compile()
	return a
}

// host takes the host of a URL, of host:port, or of a pattern.
func (a *aliases) host(text string) {
	text = strings.TrimLeft(strings.TrimSpace(text), "*.")
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		text = u.Host
	}
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	if _, err := netip.ParseAddr(text); err == nil || strings.ContainsAny(text, "/[]*") {
		return // addresses are found by their form
	}
	a.name("host", text)
	if _, domain, found := strings.Cut(text, "."); found && strings.Contains(domain, ".") {
		a.name("domain", domain)
	}
}

// name gives a name its alias. What is a word of ours, or too short to be told from one, stays.
func (a *aliases) name(kind, name string) {
	name = strings.ToLower(strings.TrimSpace(name))
	if len(name) < 3 || name == "localhost" || name == "gantry-agent" || a.known[name] != "" {
		return
	}
	a.known[name] = a.next(kind)
}

func (a *aliases) next(kind string) string {
	a.count[kind]++
	return fmt.Sprintf("%s-%d", kind, a.count[kind])
}

func (a *aliases) compile() {
	if len(a.known) == 0 {
		return
	}
	names := make([]string, 0, len(a.known))
	for name := range a.known {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	for i, name := range names {
		names[i] = regexp.QuoteMeta(name)
	}
	a.pattern = regexp.MustCompile(`(?i)\b(?:` + strings.Join(names, "|") + `)\b`)
}

// in replaces what a text names.
func (a *aliases) in(text []byte) []byte {
	text = mails.ReplaceAllFunc(text, func(m []byte) []byte { return []byte(a.alias("mail", string(m))) })
	text = macs.ReplaceAllFunc(text, func(m []byte) []byte { return []byte(a.alias("mac", string(m))) })
	text = addresses.ReplaceAllFunc(text, func(m []byte) []byte {
		address, err := netip.ParseAddr(string(m))
		if err != nil || address.IsLoopback() || address.IsUnspecified() {
			return m
		}
		return []byte(a.alias("address", address.String()))
	})
	if a.pattern == nil {
		return text
	}
	return a.pattern.ReplaceAllFunc(text, func(m []byte) []byte { return []byte(a.known[strings.ToLower(string(m))]) })
}

// alias gives what was found by its form the alias that it has already, or its first.
func (a *aliases) alias(kind, what string) string {
	what = strings.ToLower(what)
	if a.known[what] == "" {
		a.known[what] = a.next(kind)
	}
	return a.known[what]
}
