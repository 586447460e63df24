package configs

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Target is one pattern of policy.targets: which host or addresses, on which ports. Exactly one of Host and Prefix is set.
//
//	db.plant.local:5432      one name
//	*.plant.local:1433       every name below plant.local, not plant.local itself
//	*:443                    every name; never a loopback or link-local address
//	10.1.2.7:5432-5440       one address, a range of ports
//	10.1.2.0/24:*            a network, every port
//	[fd00:12::/64]:5432      the same in IPv6
type Target struct {
	Host      string       // lower case; `*` or `*.suffix` for many
	Prefix    netip.Prefix // of addresses
	FirstPort int
	LastPort  int
}

// Why a target pattern is none.
var (
	errTargetPort    = errors.New("has no port")
	errTargetRange   = errors.New("has a port that is not a number from 1 to 65535, a range such as 5432-5440, or `*`")
	errTargetHost    = errors.New("has a host that is neither a name, `*.name`, an address nor a network")
	errTargetBracket = errors.New("has an IPv6 address without brackets")
	errTargetURL     = errors.New("is a URL")
)

// ParseTarget reads a pattern. The error completes the sentence "the pattern …".
func ParseTarget(pattern string) (Target, error) {
	if strings.Contains(pattern, "://") {
		return Target{}, errTargetURL
	}
	cut := strings.LastIndexByte(pattern, ':')
	if cut < 0 || strings.HasSuffix(pattern, "]") {
		return Target{}, errTargetPort
	}
	var t Target
	var err error
	if t.FirstPort, t.LastPort, err = parsePorts(pattern[cut+1:]); err != nil {
		return Target{}, err
	}
	host := pattern[:cut]
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		if t.Prefix, err = parsePrefix(inner); err != nil || !closed {
			return Target{}, errTargetHost
		}
		return t, nil
	}
	if strings.Contains(host, ":") {
		return Target{}, errTargetBracket
	}
	if t.Prefix, err = parsePrefix(host); err == nil {
		return t, nil
	}
	if t.Host = CanonicalHost(host); !validHostPattern(t.Host) || host == "*." {
		return Target{}, errTargetHost
	}
	return t, nil
}

// CanonicalHost writes a host name the way patterns do: lower case, without the root's dot.
func CanonicalHost(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// Port reports whether the pattern covers the port.
func (t Target) Port(port int) bool { return t.FirstPort <= port && port <= t.LastPort }

// Names reports whether the pattern covers the host by its name.
func (t Target) Names(host string) bool {
	host = CanonicalHost(host)
	switch {
	case t.Host == "":
		return false
	case t.Host == "*":
		return true
	case strings.HasPrefix(t.Host, "*."):
		return len(host) >= len(t.Host) && strings.HasSuffix(host, t.Host[1:])
	}
	return host == t.Host
}

// Contains reports whether the pattern covers the address as such.
func (t Target) Contains(ip netip.Addr) bool {
	return t.Prefix.IsValid() && t.Prefix.Contains(ip.Unmap().WithZone(""))
}

func parsePorts(s string) (first, last int, err error) {
	if s == "*" {
		return 1, 65535, nil
	}
	low, high, ranged := strings.Cut(s, "-")
	if !ranged {
		high = low
	}
	first, errFirst := strconv.Atoi(low)
	last, errLast := strconv.Atoi(high)
	if errFirst != nil || errLast != nil || first < 1 || first > last || last > 65535 {
		return 0, 0, errTargetRange
	}
	return first, last, nil
}

// parsePrefix reads an address or a network. Host bits beyond the mask are dropped: 10.1.2.7/24 means its network.
func parsePrefix(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil || prefix.Addr().Is4In6() {
		return netip.Prefix{}, errTargetHost
	}
	return prefix.Masked(), nil
}

// validHostPattern takes host names as machines in plants are really called: letters, digits, `-`, `_`.
func validHostPattern(host string) bool {
	if host == "*" {
		return true
	}
	host = strings.TrimPrefix(host, "*.")
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notHostRune) {
			return false
		}
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	_, err := strconv.Atoi(last) // 10.1.2.300 is a mistyped address, not a name
	return err != nil
}

func notHostRune(r rune) bool {
	return !(r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z')
}
