package jsonrpc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"gantry/connectors"
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
