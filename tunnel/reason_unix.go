//go:build !windows

package tunnel

import (
	"errors"
	"syscall"
)

// socketReason judges by what the system said of a connection; empty: it said nothing.
func socketReason(err error) Reason {
	code, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return ""
	}
	switch code {
	case syscall.ECONNREFUSED:
		return ReasonRefused
	case syscall.ETIMEDOUT:
		return ReasonTimeout
	case syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE:
		return ReasonCut
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL, syscall.ENETDOWN, syscall.EHOSTDOWN:
		return ReasonNoRoute
	case syscall.EPERM, syscall.EACCES:
		return ReasonForbidden
	}
	return ""
}
