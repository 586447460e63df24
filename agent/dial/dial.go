// Package dial is the one door from the agent to the plant's network. Every driver dials through it.
//
// A Dialer asks the plant's policy twice: about the name, before anything is resolved, and about each address that
// the name resolves to. It then dials an address that was judged, never the name again, so that a name which resolves
// differently a moment later (DNS rebinding) gains nothing. Failures are *fault.Error: POLICY_DENIED as the policy made
// it, or SYSTEM_UNREACHABLE with refused, timed out, no such host and no route told apart.
//
// The package holds no rule of its own and keeps no connection.
package dial

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"gantry/tunnel/fault"
)

// Timeout is how long one connection may take to open, its name's resolution included.
const Timeout = 10 * time.Second

// maxAddresses bounds how many addresses of one name are tried.
const maxAddresses = 8

// Policy judges targets. A refusal is a *fault.Error.
type Policy interface {
	// Target judges host:port. Without an address (the zero Addr) it judges the name alone, before its resolution.
	Target(host string, port int, address netip.Addr) error
}

// Resolver finds the addresses of a name; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Dialer opens the connections to the plant's systems.
type Dialer struct {
	Policy   func() Policy // asked at every dial: a reload takes effect on the next one
	Resolver Resolver      // nil: the system's
	Timeout  time.Duration // 0: Timeout
	Logger   *slog.Logger
}

// Dial implements connectors.DialFunc for TCP.
func (d *Dialer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := split(network, address)
	if err != nil {
		return nil, err
	}
	policy, trace, start := d.Policy(), traceOf(ctx), time.Now()
	trace.begin(address)
	err = policy.Target(host, port, netip.Addr{})
	trace.judged(start, err)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout())
	defer cancel()
	addresses, err := d.resolve(ctx, host)
	if err != nil {
		return nil, unreachable(address, err)
	}
	start = time.Now()
	allowed, err := judge(policy, host, port, addresses)
	trace.admitted(start, err)
	if err != nil {
		return nil, err
	}
	start = time.Now()
	conn, err := dialAny(ctx, network, allowed, port)
	conn = trace.connected(start, conn, err)
	if err != nil {
		d.Logger.DebugContext(ctx, "dial failed", "target", address, "addresses", len(allowed), "error", err)
		return nil, unreachable(address, err)
	}
	return conn, nil
}

func (d *Dialer) timeout() time.Duration {
	if d.Timeout > 0 {
		return d.Timeout
	}
	return Timeout
}

func split(network, address string) (string, int, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return "", 0, fault.New(fault.PolicyDenied, "The agent opens TCP connections alone, not %q.", network).Reaches(fault.ScopeConnection).
			Advise("Use an address of the form host:port.")
	}
	host, text, err := net.SplitHostPort(address)
	port, errPort := strconv.ParseUint(text, 10, 16)
	if err != nil || errPort != nil || port == 0 || host == "" {
		return "", 0, fault.New(fault.ValidationFailed, "%q is not an address of the form host:port.", address).Reaches(fault.ScopeConnection)
	}
	return host, int(port), nil
}

// resolve gives the addresses of a name, IPv4-mapped ones as IPv4, so that one rule meets one form.
func (d *Dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if literal, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{literal.Unmap()}, nil
	}
	var resolver Resolver = net.DefaultResolver
	if d.Resolver != nil {
		resolver = d.Resolver
	}
	start := time.Now()
	found, err := resolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(found) == 0 {
		err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	traceOf(ctx).resolved(start, found, err)
	if err != nil {
		return nil, err
	}
	found = found[:min(len(found), maxAddresses)]
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found, nil
}

// judge keeps the addresses that the policy allows; where it allows none, its first refusal is the answer.
func judge(policy Policy, host string, port int, addresses []netip.Addr) ([]netip.Addr, error) {
	var allowed []netip.Addr
	var refusal error
	for _, a := range addresses {
		if err := policy.Target(host, port, a); err == nil {
			allowed = append(allowed, a)
		} else if refusal == nil {
			refusal = err
		}
	}
	if len(allowed) == 0 {
		return nil, refusal
	}
	return allowed, nil
}

// dialAny tries the addresses one after the other, each with its share of the time that is left, so that a dead first
// address leaves time for the second.
func dialAny(ctx context.Context, network string, addresses []netip.Addr, port int) (net.Conn, error) {
	var errs []error
	for i, a := range addresses {
		conn, err := dialOne(ctx, network, netip.AddrPortFrom(a, uint16(port)), len(addresses)-i)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

func dialOne(ctx context.Context, network string, address netip.AddrPort, shares int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(shares))
		defer cancel()
	}
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}}
	return dialer.DialContext(ctx, network, address.String())
}
