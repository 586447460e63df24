package jsonrpc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"gantry/connectors"
	"gantry/connectors/jsonrpc"
	"gantry/tunnel/fault"
)

func pass(t *testing.T, conn connectors.Conn, effect bool, call string, params ...string) (connectors.Passed, error) {
	t.Helper()
	p := connectors.Passage{Form: connectors.ByMethod, Effect: effect, Call: call}
	for _, one := range params {
		p.Params = append(p.Params, json.RawMessage(one))
	}
	return conn.(connectors.Passer).Pass(t.Context(), p)
}

// TestPass calls methods of a system's own: results and errors come back as they are.
func TestPass(t *testing.T) {
	var got []any
	over := false
	s := newServer(t, func(method string, params []any) (int, string) {
		got = params
		switch {
		case over && method == "model.party.party.search":
			return 401, "<title>Unauthorized</title>"
		case method == "model.x.broken":
			return 500, "<title>Oh</title>"
		case method == "model.x.refused":
			return 200, `{"id":3,"error":["UserError",["No.",""]]}`
		case method == "model.x.strange":
			return 200, `[]`
		}
		return 200, `{"id":3,"result":[{"n":1.10}]}`
	})
	conn := s.open(t)
	for call, want := range map[string]string{
		"model.party.party.search": `200 {"result":[{"n":1.10}]}`,
		"model.x.refused":          `200 {"error":["UserError",["No.",""]]}`,
		"model.x.broken":           `500 <title>Oh</title>`,
	} {
		answer, err := pass(t, conn, true, call, `[["name","=","x"]]`, `1.10`)
		if said := fmt.Sprint(answer.Status, " ", string(answer.Body)); err != nil || said != want {
			t.Errorf("%s: %s, %v", call, said, err)
		}
	}
	if len(got) != 3 || fmt.Sprint(got[0]) != "[[name = x]]" || got[2].(map[string]any)["company"] != 1. {
		t.Errorf("parameters: %v", got)
	}
	_, err := pass(t, conn, true, "model.x.strange")
	if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Kind != connectors.Lost || !f.Sent {
		t.Errorf("an answer that cannot be read: %v", err)
	}
	over = true
	answer, err := pass(t, conn, false, "model.party.party.search")
	if err != nil || answer.Status != 401 || s.logins != 1 {
		t.Errorf("a method that wants another login: %d, %v, %d logins", answer.Status, err, s.logins)
	}
	if answer.Login[0] == "" || answer.Login[0][0] == 'S' {
		t.Errorf("what it was sent with: %q", answer.Login)
	}
}

// TestPassInEachDialect shows what is refused before anything is sent.
func TestPassInEachDialect(t *testing.T) {
	protocol, err := jsonrpc.Driver{}.Compile("2.0", map[string]any{"protocol": map[string]any{"login": map[string]any{
		"method": "session.open", "params": []any{":login_username", map[string]any{"$secret": "password"}}, "token": "token",
	}}})
	if err != nil {
		t.Fatal(err)
	}
	one := []json.RawMessage{json.RawMessage("1")}
	named := map[string]json.RawMessage{"a": one[0]}
	for dialect, passages := range map[string]map[fault.Code]connectors.Passage{
		"2.0":    {fault.PolicyDenied: {Call: "session.open"}, fault.InvalidRequest: {Call: "work.list", Params: one, Named: named}},
		"odoo":   {fault.PolicyDenied: {Call: "common.login"}, fault.InvalidRequest: {Call: "search"}},
		"tryton": {fault.PolicyDenied: {Call: "common.db.login"}, fault.InvalidRequest: {Call: "model.party.party.search", Named: named}},
	} {
		target := connectors.Target{
			Dialect: dialect, Settings: map[string]any{"address": "http://127.0.0.1:1", "database": "erp", "username": "agent"},
			Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("s3cret")},
		}
		if dialect == "2.0" {
			target.Protocol = protocol
			if target.Check, err = (jsonrpc.Driver{}).Compile(dialect, map[string]any{"method": "ping"}); err != nil {
				t.Fatal(err)
			}
		}
		conn, err := jsonrpc.Driver{}.Open(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		for code, passage := range passages {
			if _, err := conn.(connectors.Passer).Pass(t.Context(), passage); !fault.Is(err, code) {
				t.Errorf("%s: %s: %v", dialect, passage.Call, err)
			}
		}
		_ = conn.Close()
	}
}

func TestPassRefusesLogins(t *testing.T) {
	s := newServer(t, func(string, []any) (int, string) { return 200, `{"id":1,"result":[]}` })
	conn := s.open(t)
	for call, code := range map[string]fault.Code{
		"common.db.login": fault.PolicyDenied, "common.db.logout": fault.PolicyDenied, "party.search": fault.InvalidRequest,
	} {
		_, err := pass(t, conn, true, call)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != code || f.Outcome != fault.NotSent {
			t.Errorf("%s: %v", call, err)
		}
	}
	if len(s.calls) != 0 || s.logins != 0 {
		t.Errorf("sent: %v, %d logins", s.calls, s.logins)
	}
}
