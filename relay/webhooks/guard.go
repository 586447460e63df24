package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"gantry/tunnel/fault"
)

// Guard says where messages may go: to public addresses by HTTPS, and beyond that where the relay's owner allows it.
type Guard struct {
	Private []netip.Prefix // networks that are not public and may be reached
	HTTP    bool           // addresses with http:// may be given
}

// special are the networks that the internet does not route, or that lead elsewhere than they say (RFC 6890, and the
// registries of IANA for special purposes). What netip names itself is in public.
var special = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20",
	"5f00::/16", "fec0::/10")

// carriers are the networks of IPv6 that carry an address of IPv4, from a byte on.
var carriers = map[netip.Prefix]int{
	netip.MustParsePrefix("::/96"):        12,
	netip.MustParsePrefix("64:ff9b::/96"): 12,
	netip.MustParsePrefix("2002::/16"):    2,
}

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// public reports whether an address belongs to the internet.
func public(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		for carrier, at := range carriers {
			if raw := address.As16(); carrier.Contains(address) {
				return public(netip.AddrFrom4([4]byte(raw[at : at+4])))
			}
		}
	}
	return address.IsGlobalUnicast() && !address.IsPrivate() && !within(address, special)
}

func within(address netip.Addr, networks []netip.Prefix) bool {
	for _, network := range networks {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// privateError is the refusal of an address.
type privateError struct{ address netip.Addr }

// Error implements error.
func (e privateError) Error() string {
	return fmt.Sprintf("%s is not a public address, and the relay's configuration does not name it (webhooks.allow_private)", e.address)
}

// check refuses an address that messages may not go to.
func (g Guard) check(address netip.Addr) error {
	address = address.Unmap().WithZone("")
	if public(address) || within(address, g.Private) {
		return nil
	}
	return privateError{address}
}

// control is net.Dialer's look at the address that it is about to dial, after the name was resolved.
func (g Guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("dial %s %s: not an address of the internet", network, address)
	}
	return g.check(to.Addr())
}

// resolveTime is how long the check of a URL waits for its name's addresses.
const resolveTime = 3 * time.Second

// maxURL bounds a webhook's address.
const maxURL = 2000

// Check refuses a URL that no message could go to, as far as can be told before: a *fault.Error that names the member url.
func (g Guard) Check(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || len(text) > maxURL:
		return refuse("a URL such as https://example.com/gantry, of at most %d bytes", maxURL)
	case u.Scheme != "https" && (u.Scheme != "http" || !g.HTTP):
		return refuse("must begin with https://")
	case u.User != nil:
		return refuse("a user and a password do not belong here: every message is signed")
	case u.Fragment != "":
		return refuse("what follows a # is never sent")
	}
	if problem := g.reach(ctx, u.Hostname()); problem != nil {
		return refuse("%s", problem)
	}
	return nil
}

func refuse(want string, args ...any) error {
	return fault.New(fault.InvalidRequest, "No message can be sent to this URL.").Member("url", "INVALID", want, args...)
}

// reach finds out whether a host can be reached: one of its addresses is enough. A resolver that does not answer is no reason
// against the host.
func (g Guard) reach(ctx context.Context, host string) error {
	if address, err := netip.ParseAddr(host); err == nil {
		return g.check(address)
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return fmt.Errorf("the name %s has no address", host)
	}
	var refusal error
	for _, address := range addresses {
		if refusal = g.check(address); refusal == nil {
			return nil
		}
	}
	return refusal
}
