//go:build !windows

package configs

// programData is a folder of Windows.
func programData() string { return "" }
