package dial

import (
	"context"
	"errors"
	"net"
	"syscall"

	"gantry/tunnel/fault"
)

// unreachable says why a target could not be reached, and what a person in the plant can do about exactly that.
func unreachable(target string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err // the caller went away: nothing is wrong with the target
	}
	e := fault.New(fault.SystemUnreachable, "%s", target+" cannot be reached.").Because(err)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Detail = "The host name of " + target + " is not known to the agent's DNS."
		e.Advise("Check the spelling of the host name, or use its address; on the agent's host `nslookup` must find it.")
	case errors.As(err, &dns):
		e.Detail = "The agent's DNS server did not answer for " + target + "."
		e.Advise("Check the DNS servers of the agent's host.")
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Detail = target + " refused the connection: the host is up, and nothing listens on that port."
		e.Advise("Check that the system runs and listens on this port.")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		e.Detail = "There is no route from the agent's host to " + target + "."
		e.Advise("Check the network of the agent's host, and the firewall between it and the system.")
	case isTimeout(err):
		e.Detail = target + " did not answer: a firewall drops the packets, or the host is down."
		e.Advise("Ask for a firewall rule from the agent's host to this address and port, and check that the host is up.")
	}
	return e
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
