// Package configs holds the configuration of both programs: Go types, defaults, strict loading, validation, and the
// documented samples agent.yaml and relay.yaml.
//
// A configuration is values and nothing else: no logger, no clock, no open file. Loading is strict. An unknown key, a
// wrong type or a value that makes no sense is an error, and all of them come back at once as *Problems, each with file,
// line and column, the key's path, what is wrong and what to write instead. The sample is the documentation: every key
// stands in it with its meaning, tests keep it complete, and docs/configuration.md is generated from it.
//
// The package imports nothing of Gantry, opens no connection and starts nothing.
package configs

//go:generate go test -run TestReferenceIsCurrent -update .
