//go:build !windows

package proxy

// system is nil: only Windows has one setting for all programs.
func system() System { return nil }
