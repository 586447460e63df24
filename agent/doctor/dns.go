package doctor

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"gantry/tunnel"
	"gantry/tunnel/check"
)

// dnsLimit is the time for a name.
const dnsLimit = 6 * time.Second

func (w *way) checkDNS(ctx context.Context) check.Outcome {
	host := w.next().Hostname()
	if address, err := netip.ParseAddr(host); err == nil {
		return check.Pass("not needed: " + address.String() + " is an address")
	}
	ctx, cancel := context.WithTimeout(ctx, dnsLimit)
	defer cancel()
	addresses, err := w.resolver().LookupNetIP(ctx, "ip", host)
	if err != nil {
		return w.noName(host, err)
	}
	var texts []string
	bad := ""
	for _, a := range addresses {
		a = a.Unmap()
		texts = append(texts, a.String())
		if why := sinkhole(a); why != "" && !local(host) {
			bad = a.String() + " " + why
		}
	}
	w.addresses = texts
	resolved := host + " is " + strings.Join(texts, ", ")
	if bad != "" {
		return w.fill(check.Fail("NET-DNS-SINKHOLE", resolved, bad).With("name", host).With("address", texts[0]))
	}
	return check.Pass(resolved)
}

// noName tells a name that does not exist from servers that do not answer.
func (w *way) noName(host string, err error) check.Outcome {
	failed := &tunnel.DialError{Stage: tunnel.StageDNS, Err: err}
	var o check.Outcome
	switch {
	case failed.Reason() != tunnel.ReasonNoName:
		o = check.Fail("NET-DNS-SERVER", err.Error())
	case w.proxy != nil:
		o = check.Fail("NET-PROXY-NAME", err.Error(), "the proxy's setting comes from "+w.Origin)
	default:
		o = check.Fail("NET-DNS-NAME", err.Error())
	}
	return w.fill(o.With("name", host))
}

// local names may well be this machine.
func local(host string) bool {
	return strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost")
}

// known are addresses that filters answer with for names that they block, by their makers' documentation.
var known = []struct {
	prefix netip.Prefix
	whose  string
}{
	{netip.MustParsePrefix("146.112.61.104/29"), "is a block page of Cisco Umbrella"},
	{netip.MustParsePrefix("208.91.112.52/30"), "is a block page of Fortinet"},
	{netip.MustParsePrefix("72.5.65.111/32"), "is the sinkhole of Palo Alto Networks"},
	{netip.MustParsePrefix("198.18.0.0/15"), "is of a range that only filters and test networks use"},
	{netip.MustParsePrefix("192.0.2.0/24"), "is of a range that belongs to nobody"},
}

// sinkhole says why an address cannot be a relay's or a proxy's; empty: it can.
func sinkhole(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "stands for no machine at all: filters answer with it for names that they block"
	case a.IsLoopback():
		return "is this machine itself: filters answer with it for names that they block"
	}
	for _, k := range known {
		if k.prefix.Contains(a) {
			return k.whose
		}
	}
	return ""
}

// allAddresses are the addresses of whom is dialled first, each with the port.
func (w *way) allAddresses(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, dnsLimit)
	defer cancel()
	addresses, err := w.resolver().LookupNetIP(ctx, "ip", w.next().Hostname())
	if err != nil {
		return nil
	}
	_, port, err := net.SplitHostPort(tunnel.WithPort(w.next()))
	if err != nil {
		return nil
	}
	var all []string
	for _, a := range addresses {
		all = append(all, net.JoinHostPort(a.Unmap().String(), port))
	}
	return all
}
