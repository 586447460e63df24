//go:build !windows

package tunnel

import "net/url"

// systemLogin is nil: only Windows logs a service in at a proxy by the account that it runs as.
func systemLogin(string, *url.URL) (login, error) { return nil, nil }
