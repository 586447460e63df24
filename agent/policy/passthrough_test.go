package policy

import (
	"net/http"
	"testing"

	"gantry/connectors"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

func TestPass(t *testing.T) {
	erp := Connection{ID: "con_1", Name: "erp", System: "x"}
	over := func(method, path string) connectors.Passage {
		return connectors.Passage{Form: connectors.OverHTTP, Method: method, Path: path}
	}
	call := func(name string) connectors.Passage { return connectors.Passage{Form: connectors.ByMethod, Call: name} }
	const on = "writes: true, "
	for _, test := range []struct {
		name, policy string
		passage      connectors.Passage
		reads        bool
		scope        fault.Scope // empty: it passes
		command      string
	}{
		{"off by default", "writes: true", over("GET", "/a"), false, fault.ScopeOperation, "allow passthrough 'GET /a' --connection con_1"},
		{"by name", "passthrough: {erp: [GET /a]}", over("GET", "/a"), true, "", ""},
		{"by id", "passthrough: {con_1: [GET /a]}", over("GET", "/a"), true, "", ""},
		{"by either", "passthrough: {erp: [GET /b], con_1: [GET /a]}", over("GET", "/b"), true, "", ""},
		{"of another connection", "passthrough: {wms: [GET /a]}", over("GET", "/a"), false, fault.ScopeOperation, "allow passthrough 'GET /a' --connection con_1"},
		{"another method", on + "passthrough: {erp: [GET /a]}", over("DELETE", "/a"), false, fault.ScopeOperation, "allow passthrough 'DELETE /a' --connection con_1"},
		{"a quote in the path", "writes: true", over("GET", "/O('4')"), false, fault.ScopeOperation, `allow passthrough 'GET /O('\''4'\'')' --connection con_1`},
		{"a write without writes", "passthrough: {erp: [POST /a]}", over("POST", "/a"), false, fault.ScopeSite, "allow writes"},
		{"a write", on + "passthrough: {erp: [POST /a]}", over("POST", "/a"), false, "", ""},
		{"a system that is not allowed", "systems: [y], passthrough: {erp: [GET /a]}", over("GET", "/a"), false, fault.ScopeConnection, "allow system x"},
		{"a method that reads", "passthrough: {erp: [READ m.search]}", call("m.search"), true, "", ""},
		{"a method that may write, without writes", "passthrough: {erp: [CALL m.search]}", call("m.search"), false, fault.ScopeSite, "allow writes"},
		{"a method that is both reads", on + "passthrough: {erp: ['CALL m.**', READ m.search]}", call("m.search"), true, "", ""},
		{"a method that nobody named", "", call("m.search"), false, fault.ScopeOperation, "allow passthrough 'READ m.search' --connection con_1"},
		{"another method that nobody named", "", call("m.quote"), false, fault.ScopeOperation, "allow passthrough 'CALL m.quote' --connection con_1"},
		{"a path's verb is no method's", on + "passthrough: {erp: ['GET /**']}", call("m.search"), false, fault.ScopeOperation, "allow passthrough 'READ m.search' --connection con_1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			reads, err := compiled(t, "{"+test.policy+"}", Own{}).Pass(erp, test.passage)
			if test.scope != "" {
				if f := wantDenied(t, err, test.scope, test.command); f.Outcome != fault.NotSent || f.ConnectionID != "con_1" {
					t.Errorf("%+v", f)
				}
				return
			}
			if err != nil || reads != test.reads {
				t.Errorf("reads %t, %v", reads, err)
			}
		})
	}
	if _, err := new(Live).Current().Pass(erp, over(http.MethodGet, "/a")); !fault.Is(err, fault.PolicyDenied) {
		t.Errorf("the zero policy: %v", err)
	}
}

func TestPassthroughCapability(t *testing.T) {
	erp := Connection{ID: "con_1", Name: "erp"}
	p := compiled(t, "{passthrough: {erp: [GET /a, POST /b]}}", Own{})
	can := wire.Capabilities{Passthrough: wire.PassthroughCapability{Verdict: wire.Verdict{Allowed: true}, Form: "http"}}
	if got := p.Capabilities(erp, can).Passthrough; !got.Allowed || len(got.Patterns) != 2 || got.Patterns[1] != "POST /b" {
		t.Errorf("%+v", got)
	}
	if got := p.Capabilities(Connection{ID: "con_2"}, can).Passthrough; got.Allowed || got.DeniedBy != wire.ByPolicy || got.Advice == "" || got.Form != "http" {
		t.Errorf("%+v", got)
	}
	can.Passthrough = wire.PassthroughCapability{Verdict: wire.Verdict{DeniedBy: wire.ByDefinition}}
	if got := p.Capabilities(erp, can).Passthrough; got.Allowed || got.DeniedBy != wire.ByDefinition {
		t.Errorf("%+v", got)
	}
}
