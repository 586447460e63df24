package tunnel

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// socketReason judges by what the system said of a connection; empty: it said nothing.
func socketReason(err error) Reason {
	code, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return ""
	}
	switch code {
	case windows.WSAECONNREFUSED:
		return ReasonRefused
	case windows.WSAETIMEDOUT:
		return ReasonTimeout
	case windows.WSAECONNRESET, windows.WSAECONNABORTED:
		return ReasonCut
	case windows.WSAENETUNREACH, windows.WSAEHOSTUNREACH, windows.WSAEADDRNOTAVAIL, windows.WSAENETDOWN, windows.WSAEHOSTDOWN:
		return ReasonNoRoute
	case windows.WSAEACCES:
		return ReasonForbidden
	}
	return ""
}
