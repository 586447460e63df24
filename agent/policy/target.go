package policy

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

	"gantry/configs"
	"gantry/tunnel/fault"
)

// reserved are the networks that a name must never lead into: this machine itself, what only its own link can mean,
// and the metadata services of clouds, which hand out credentials. A pattern covers an address of these only when it
// lies wholly inside, so that neither `*:443` nor `0.0.0.0/0:443` opens them by accident.
func reserved() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("::1/128"),
		netip.MustParsePrefix("169.254.0.0/16"), // link-local, and most clouds' metadata at 169.254.169.254
		netip.MustParsePrefix("fe80::/10"),
		netip.MustParsePrefix("fd00:ec2::254/128"),  // AWS metadata
		netip.MustParsePrefix("100.100.100.200/32"), // Alibaba metadata
		netip.MustParsePrefix("192.0.0.192/32"),     // Oracle metadata
		netip.MustParsePrefix("168.63.129.16/32"),   // Azure's host
	}
}

// Target reports whether host and port may be opened. It is asked twice: with the zero ip before the name is looked up,
// which refuses what no pattern could allow, and with each resolved address before it is dialled, which refuses a
// name that leads where it should not (DNS rebinding). A host that is itself an address needs no look-up. The error is
// POLICY_DENIED of scope connection.
func (p *Policy) Target(host string, port int, ip netip.Addr) error {
	if literal, err := netip.ParseAddr(host); err == nil {
		ip = literal
	}
	ip = ip.Unmap()
	if !slices.ContainsFunc(p.targets, func(t configs.Target) bool { return covers(t, host, port, ip) }) {
		return p.refuseTarget(host, port, ip)
	}
	return nil
}

func covers(t configs.Target, host string, port int, ip netip.Addr) bool {
	switch {
	case !t.Port(port):
		return false
	case !ip.IsValid(): // not looked up yet: a network may still turn out to hold it
		return t.Names(host) || t.Prefix.IsValid()
	case ip.IsUnspecified() || ip.IsMulticast():
		return false
	}
	for _, r := range reserved() {
		if r.Contains(ip.WithZone("")) {
			return t.Contains(ip) && r.Bits() <= t.Prefix.Bits() || t.Host == "localhost" && t.Names(host) && ip.IsLoopback()
		}
	}
	return t.Names(host) || t.Contains(ip)
}

// refuseTarget names the pattern that would allow it: the name where no pattern knows it, the address where the name
// is known and leads astray.
func (p *Policy) refuseTarget(host string, port int, ip netip.Addr) error {
	asked := net.JoinHostPort(configs.CanonicalHost(host), strconv.Itoa(port))
	named := slices.ContainsFunc(p.targets, func(t configs.Target) bool { return t.Port(port) && t.Names(host) })
	if named && ip.IsValid() {
		address := net.JoinHostPort(ip.WithZone("").String(), strconv.Itoa(port))
		return denied(fault.ScopeConnection, "allow target "+word(address),
			"The plant's policy allows %s, but the name leads to %s, an address that must be allowed by itself.", asked, ip)
	}
	return denied(fault.ScopeConnection, "allow target "+word(asked), "The plant's policy does not allow connections to %s.", asked)
}
