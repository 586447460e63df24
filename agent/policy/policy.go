// Package policy is the plant's own last word on what the agent may do.
//
// A Policy is compiled from configs.Policy and never changes; a Live one holds whichever is in force and swaps it whole
// on a reload. The agent asks on every call: Call before anything else, Target before a name is looked up and again with
// each address that it resolves to, Path before a file is opened, Field for what a request names, Redact for what an
// answer shows. Nothing is allowed that the plant's IT did not allow, and a connection's own rules only narrow.
//
// Every refusal is a *fault.Error POLICY_DENIED that says what was refused, how far that reaches, and the literal command
// that would allow it. The package decides; it opens nothing, resolves nothing and counts nothing: rates and concurrency are
// given as numbers to whoever keeps the counters.
package policy

import (
	"fmt"

	"gantry/configs"
)

// Connection is whom a call is for. Rules may name it by its name or by its id.
type Connection struct {
	ID     string
	Name   string
	System string
}

// Own are the agent's own files, which no policy opens.
type Own struct {
	StateDir   string
	ConfigFile string
}

// Policy answers what is allowed. It is immutable and safe for concurrent use.
type Policy struct {
	targets     []configs.Target
	paths       []string
	own         Own
	writes      bool
	overlays    bool // the cloud may map further columns
	quiet       bool // some rules have quiet hours
	rules       rules
	connections map[string]rules
	passthrough map[string][]configs.Passthrough // by connection name or id
}

// rules are configs.Rules, parsed.
type rules struct {
	connection                 string // empty: those of all
	systems, denySystems       []string
	entities, denyEntities     []string
	operations, denyOperations []configs.Operation
	denyFields                 []configs.DeniedField
	maxRows, concurrency       int
	rate                       configs.Rate
	quiet                      []configs.Quiet
}

// New compiles a policy. A configuration that was loaded by package configs always compiles; for others the error names
// the value that is wrong.
func New(config configs.Policy, own Own) (*Policy, error) {
	p := &Policy{own: own, writes: config.Writes, overlays: config.Overlays, paths: config.Paths, connections: map[string]rules{}, passthrough: map[string][]configs.Passthrough{}}
	for _, pattern := range config.Targets {
		target, err := configs.ParseTarget(pattern)
		if err != nil {
			return nil, fmt.Errorf("policy target %q %w", pattern, err)
		}
		p.targets = append(p.targets, target)
	}
	var err error
	if p.rules, err = compile("", config.Rules); err != nil {
		return nil, err
	}
	p.quiet = len(p.rules.quiet) > 0
	for name, patterns := range config.Passthrough {
		if p.passthrough[name], err = parseAll(patterns, configs.ParsePassthrough); err != nil {
			return nil, err
		}
	}
	for name, narrower := range config.Connections {
		own, err := compile(name, narrower)
		if err != nil {
			return nil, err
		}
		p.connections[name], p.quiet = own, p.quiet || len(own.quiet) > 0
	}
	return p, nil
}

func compile(connection string, c configs.Rules) (rules, error) {
	r := rules{
		connection: connection,
		systems:    c.Systems, denySystems: c.DenySystems,
		entities: c.Entities, denyEntities: c.DenyEntities,
		maxRows: c.MaxRows, concurrency: c.Concurrency,
	}
	var err error
	if r.operations, err = parseAll(c.Operations, configs.ParseOperation); err != nil {
		return r, err
	}
	if r.denyOperations, err = parseAll(c.DenyOperations, configs.ParseOperation); err != nil {
		return r, err
	}
	if r.denyFields, err = parseAll(c.DenyFields, configs.ParseField); err != nil {
		return r, err
	}
	if r.quiet, err = parseAll(c.QuietHours, configs.ParseQuiet); err != nil {
		return r, err
	}
	if r.rate, err = configs.ParseRate(c.Rate); err != nil {
		return r, fmt.Errorf("policy rate %q %w", c.Rate, err)
	}
	return r, nil
}

func parseAll[T any](texts []string, parse func(string) (T, error)) ([]T, error) {
	var all []T
	for _, text := range texts {
		one, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("policy entry %q %w", text, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// of lists the rules that hold for a connection, the widest first.
func (p *Policy) of(c Connection) []rules {
	all := []rules{p.rules}
	if own, ok := p.connections[c.Name]; ok && c.Name != "" {
		all = append(all, own)
	}
	if own, ok := p.connections[c.ID]; ok && c.ID != "" && c.ID != c.Name {
		all = append(all, own)
	}
	return all
}
