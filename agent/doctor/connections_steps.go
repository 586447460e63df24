package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"gantry/agent/calls"
	"gantry/agent/dial"
	"gantry/connectors"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// policy is the plant's word on the system, and on the target or file that the login asked for.
func (l *look) policy(context.Context) check.Outcome {
	if err := l.Allowed(); err != nil {
		return refused(err)
	}
	a := l.reached(admitted)
	if f := fault.From(a.err, fault.HopAgent); f != nil && f.Code == fault.PolicyDenied {
		return refused(a.err).In(a.seen.Policy.Took)
	}
	if a.seen.Target == "" {
		return check.Pass("allowed").In(time.Millisecond)
	}
	return check.Pass(a.seen.Target + " is allowed").In(took(a.seen.Policy))
}

// refused takes the literal command out of the policy's advice.
func refused(err error) check.Outcome {
	f := fault.From(err, fault.HopPolicy)
	_, command, found := strings.Cut(f.Advice, "on the agent's host: ")
	if !found {
		command = f.Advice
	}
	return check.Fail("CON-POLICY", f.Detail).With("command", command)
}

func (l *look) dns(context.Context) check.Outcome {
	a := l.reached(admitted)
	host := hostOf(a)
	switch step := a.seen.DNS; {
	case a.seen.Target == "":
		return l.local(a)
	case !step.Reached:
		return check.Pass(host + " is an address, no name").In(time.Millisecond)
	case step.Err != nil:
		return unresolved(a)
	default:
		return l.paced("looking up "+host, took(step), slowStep, fmt.Sprintf("%s is %s", host, addresses(a.seen)))
	}
}

func hostOf(a attempt) string {
	host, _, _ := net.SplitHostPort(a.seen.Target)
	return host
}

func unresolved(a attempt) check.Outcome {
	return check.Fail("CON-DNS", detail(a.err)...).With("host", hostOf(a)).In(took(a.seen.DNS))
}

// local is a step of the way that a system without a network address does not have, or that was not tried.
func (l *look) local(a attempt) check.Outcome {
	if n, ok := errors.AsType[*calls.NotTried](a.err); ok {
		return check.Pass(fmt.Sprintf("not tried: the system refused the login %s ago", n.Ago.Round(time.Second))).In(time.Millisecond)
	}
	return check.Pass("the system has no address: nothing was dialled").In(time.Millisecond)
}

func (l *look) tcp(context.Context) check.Outcome {
	a := l.reached(opened)
	switch {
	case a.seen.Target == "":
		return l.local(a)
	case opened(a.seen):
		return l.paced("connecting to "+a.seen.Target, took(a.seen.TCP), slowStep, "connected to "+a.seen.Address.String())
	}
	return unopened(a)
}

func unopened(a attempt) check.Outcome {
	id, step := "CON-ROUTE", a.seen.TCP
	timeout, isNet := errors.AsType[net.Error](step.Err)
	switch {
	case errors.Is(step.Err, syscall.ECONNREFUSED):
		id = "CON-REFUSED"
	case errors.Is(step.Err, context.DeadlineExceeded), isNet && timeout.Timeout(), !step.Reached:
		id = "CON-TIMEOUT"
	}
	return check.Fail(id, detail(a.err)...).With("target", a.seen.Target).In(took(step))
}

func (l *look) tls(context.Context) check.Outcome {
	a := l.attempt()
	switch failure := native(a.err); {
	case failure != nil && failure.Kind == connectors.Insecure:
		return check.Fail("CON-TLS", append(detail(a.err), failure.Message)...).With("target", a.seen.Target).In(took(a.seen.TLS))
	case a.seen.Target == "":
		return l.local(a)
	case a.seen.TLS.Reached:
		return check.Pass("the connection is encrypted").In(took(a.seen.TLS))
	}
	return check.Pass("the connection is not encrypted: its setting, or the system, goes without").In(time.Millisecond)
}

// loggedIn is the end of the attempt.
func (l *look) loggedIn(context.Context) check.Outcome {
	a := l.attempt()
	spent := a.took - a.seen.Policy.Took - a.seen.DNS.Took - a.seen.TCP.Took - a.seen.TLS.Took
	if a.err == nil {
		said := "logged in"
		if a.version != "" {
			said = "version " + a.version
		}
		return l.paced("logging in", max(spent, time.Millisecond), slowLogin, said)
	}
	if o, dialled := redialled(a); dialled {
		return o
	}
	said := detail(a.err)
	if n, ok := errors.AsType[*calls.NotTried](a.err); ok {
		said = append(said, fmt.Sprintf("said %s ago, and not asked again within a minute, so that looking locks no account", n.Ago.Round(time.Second)))
	}
	return l.who(check.Fail(refusedLogin(a), said...)).With("target", a.seen.Target).With("what", "the login").In(max(spent, time.Millisecond))
}

// redialled tells of a login that dialled more than once (its token comes from another host), and whose last dial failed at a
// step which the first one passed.
func redialled(a attempt) (check.Outcome, bool) {
	switch f := fault.From(a.err, fault.HopSystem); {
	case f.Code == fault.PolicyDenied:
		return refused(a.err), true
	case a.seen.DNS.Err != nil:
		return unresolved(a), true
	case a.seen.TCP.Err != nil:
		return unopened(a), true
	}
	return check.Outcome{}, false
}

// refusedLogin gives the finding of a login that failed after the network's part was done.
func refusedLogin(a attempt) string {
	f, failure := fault.From(a.err, fault.HopSystem), native(a.err)
	switch {
	case f.Code == fault.CredentialsExpired && f.Hop == fault.HopAgent:
		return "CON-VAULT"
	case failure != nil && failure.Account == connectors.Locked:
		return "CON-LOCKED"
	case failure != nil && failure.Account == connectors.Expired:
		return "CON-EXPIRED"
	case f.Code == fault.CredentialsExpired:
		return "CON-PASSWORD"
	case f.Code == fault.SystemRateLimited, f.Code == fault.Overloaded, f.Code == fault.RateLimitExceeded:
		return "CON-BUSY"
	case f.Code == fault.SystemTimeout:
		return "CON-UNANSWERED"
	case f.Code == fault.SystemUnreachable && a.seen.Target != "":
		return "CON-HANDSHAKE"
	}
	return "CON-LOGIN"
}

// read reads one record of an entity.
func (l *look) read(ctx context.Context, entity string) check.Outcome {
	start := time.Now()
	err := l.probe.Read(ctx, entity)
	if err == nil {
		return l.readable(entity, time.Since(start))
	}
	f := fault.From(err, fault.HopSystem)
	id := "CON-READ"
	switch f.Code {
	case fault.PolicyDenied:
		return check.Skip("the plant's policy does not allow it: " + f.Detail)
	case fault.RateLimitExceeded, fault.Overloaded, fault.SystemRateLimited:
		return check.Skip("no place for the read within the connection's limits: " + f.Detail)
	case fault.PermissionDenied:
		id = "CON-RIGHT"
	case fault.SystemTimeout:
		id = "CON-UNANSWERED"
	}
	said := f.Detail
	if f.Source != nil {
		said = cmp.Or(f.Source.Message, said)
	}
	return l.who(check.Fail(id, detail(err)...)).With("entity", entity).With("said", said).With("what", "reading "+entity)
}

// paced passes what was done, and warns where it was slow.
func (l *look) paced(what string, took, slow time.Duration, said string) check.Outcome {
	if took < slow {
		return check.Pass(said).In(took)
	}
	return check.Warn("CON-SLOW", said).With("what", what).With("ms", fmt.Sprint(took.Milliseconds())).In(took)
}

// who names the login and the connection in a finding's text.
func (l *look) who(o check.Outcome) check.Outcome {
	return o.With("user", cmp.Or(l.User, "of the connection "+l.Name)).With("id", l.ID)
}

// took is a step's time, of which there is always some.
func took(s dial.Step) time.Duration { return max(s.Took, time.Microsecond) }

func addresses(s dial.Seen) string {
	var all []string
	for _, a := range s.Addresses {
		all = append(all, a.Unmap().String())
	}
	return strings.Join(all, ", ")
}

// native finds what the driver reported.
func native(err error) *connectors.Failure {
	f, _ := errors.AsType[*connectors.Failure](err)
	return f
}

// detail is what was seen of an error: what happened, and the system's own words.
func detail(err error) []string {
	f := fault.From(err, fault.HopAgent)
	said := []string{strings.TrimSuffix(f.Detail, ".")}
	if f.Source != nil {
		said = append(said, strings.TrimSpace("the system says: "+f.Source.Status+" "+f.Source.Message))
	}
	return said
}
