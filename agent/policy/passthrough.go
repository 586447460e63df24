package policy

import (
	"slices"
	"strings"

	"gantry/configs"
	"gantry/connectors"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// Pass reports whether a request of the system's own may be sent: nil, or POLICY_DENIED. reads: the plant says that it changes
// nothing; any other needs writes as well. Rules on entities, operations and fields do not hold here, since nobody knows what
// of them the request is about: the pattern that lets it through is the plant's word on it.
func (p *Policy) Pass(c Connection, r connectors.Passage) (reads bool, err error) {
	reads, f := p.passes(c, r)
	if f == nil {
		return reads, nil
	}
	f.ConnectionID = c.ID
	return false, f.In("", "passthrough", "").Ended(fault.NotSent)
}

func (p *Policy) passes(c Connection, r connectors.Passage) (reads bool, refusal *fault.Error) {
	for _, rules := range p.of(c) {
		if f := rules.system(c.System); f != nil {
			return false, f
		}
	}
	verbs, target, usual := []string{r.Method}, r.Path, r.Method
	if r.Form == connectors.ByMethod {
		verbs, target, usual = []string{configs.VerbRead, configs.VerbCall}, r.Call, likely(r.Call)
	}
	pattern, found := p.covering(c, verbs, target)
	switch {
	case !found:
		return false, denied(fault.ScopeOperation, "allow passthrough "+word(usual+" "+target)+" --connection "+word(c.ID),
			"The plant's policy does not let %s %s through to the system.", usual, target)
	case !pattern.Reads() && !p.writes:
		return false, denied(fault.ScopeSite, "allow writes", "The plant's policy allows no writes, and %s %s may be one.", pattern.Verb, target)
	}
	return pattern.Reads(), nil
}

// covering finds the pattern that lets a request through, with the first of the verbs that it can.
func (p *Policy) covering(c Connection, verbs []string, target string) (configs.Passthrough, bool) {
	patterns := p.patterns(c)
	for _, verb := range verbs {
		i := slices.IndexFunc(patterns, func(pattern configs.Passthrough) bool { return pattern.Covers(verb, target) })
		if i >= 0 {
			return patterns[i], true
		}
	}
	return configs.Passthrough{}, false
}

// likely is the verb for a method that no pattern names, for the advice: whether it changes nothing, the plant has to know.
func likely(method string) string {
	switch method[strings.LastIndexByte(method, '.')+1:] {
	case "search", "read", "search_read", "search_count", "fields_get", "name_search", "read_group", "default_get", "fields_view_get", "get", "list":
		return configs.VerbRead
	}
	return configs.VerbCall
}

// patterns are those of a connection, by its name and by its id.
func (p *Policy) patterns(c Connection) []configs.Passthrough {
	var all []configs.Passthrough
	if c.Name != "" {
		all = append(all, p.passthrough[c.Name]...)
	}
	if c.ID != "" && c.ID != c.Name {
		all = append(all, p.passthrough[c.ID]...)
	}
	return all
}

// passthroughCapability cuts what could be passed to what the policy lets through.
func (p *Policy) passthroughCapability(c Connection, could wire.PassthroughCapability) wire.PassthroughCapability {
	if !could.Allowed {
		return could
	}
	for _, pattern := range p.patterns(c) {
		could.Patterns = append(could.Patterns, pattern.String())
	}
	if len(could.Patterns) == 0 {
		f := denied(fault.ScopeOperation, "allow passthrough REQUEST --connection "+word(c.ID), "The plant's policy lets no requests of the system's own through.")
		could.Verdict = wire.Verdict{DeniedBy: wire.ByPolicy, Reason: f.Detail, Advice: f.Advice}
	}
	return could
}
