package definition

import (
	"errors"
	"strings"
	"testing"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/tunnel/fault"
)

func TestDecodeOverlay(t *testing.T) {
	with := func(field string) string {
		return `{"entities":{"vendors":{"custom_fields":{"gate":` + field + `}}}}`
	}
	for name, test := range map[string]struct{ document, at string }{
		"sound":              {with(`{"from":"Gate No","type":"integer","title":"Gate","write":["update"],"filterable":true}`), ""},
		"empty":              {`{"entities":{}}`, ""},
		"no entities":        {`{}`, "entities"},
		"a login":            {`{"entities":{},"login":{}}`, "login"},
		"operations":         {`{"entities":{"vendors":{"custom_fields":{},"operations":{}}}}`, "entities.vendors.operations"},
		"a statement":        {with(`{"from":"a","type":"string","sql":"SELECT 1"}`), "entities.vendors.custom_fields.gate.sql"},
		"an expression":      {with(`{"from":"a","type":"string","value":"${row.a}"}`), "entities.vendors.custom_fields.gate.value"},
		"a native type":      {with(`{"from":"a","type":"string","native":"integer"}`), "entities.vendors.custom_fields.gate.native"},
		"no column":          {with(`{"type":"string"}`), "entities.vendors.custom_fields.gate.from"},
		"a quote":            {with(`{"from":"a\"b","type":"string"}`), "entities.vendors.custom_fields.gate.from"},
		"no type":            {with(`{"from":"a"}`), "entities.vendors.custom_fields.gate.type"},
		"a list":             {with(`{"from":"a","type":"list"}`), "entities.vendors.custom_fields.gate.type"},
		"a write of its own": {with(`{"from":"a","type":"string","write":["approve"]}`), "entities.vendors.custom_fields.gate.write"},
		"no flag":            {with(`{"from":"a","type":"string","filterable":"yes"}`), "entities.vendors.custom_fields.gate.filterable"},
		"a long title":       {with(`{"from":"a","type":"string","title":"` + strings.Repeat("x", 200) + `"}`), "entities.vendors.custom_fields.gate.title"},
		"a field's name":     {`{"entities":{"vendors":{"custom_fields":{"Gate":{"from":"a","type":"string"}}}}}`, "entities.vendors.custom_fields.Gate"},
	} {
		o, err := DecodeOverlay([]byte(test.document))
		if test.at == "" {
			if err != nil || o.Entities == nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.InvalidRequest || len(f.Fields) != 1 || f.Fields[0].Name != test.at {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for _, bad := range []string{"", "[]", `{"entities":{},"entities":{}}`, `{"entities":{}} x`} {
		if _, err := DecodeOverlay([]byte(bad)); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := DecodeOverlay(make([]byte, MaxOverlay+1)); !fault.Is(err, fault.PayloadTooLarge) {
		t.Errorf("%v", err)
	}
}

// TestDiscoveredIsLinted names the faults of an author's overlay, without a driver.
func TestDiscoveredIsLinted(t *testing.T) {
	for field, want := range map[string]string{
		"total: {discovered: A, type: decimal}":                  "has a meaning already",
		"a: {discovered: A, value: '${1}', type: integer}":       "not both",
		"a: {discovered: 'A;B', type: integer}":                  "no name of a column",
		"a: {discovered: A}":                                     "give it a `type`",
		"a: {discovered: A, type: integer, write: [create, up]}": "must be one of",
	} {
		overlay := "apiVersion: connector/v1\nmetadata: {overlay: demo-plant}\nentities:\n  purchase-orders:\n    custom_fields:\n      " + field + "\n"
		problems := Lint([]connectors.Driver{}, map[string][]byte{"overlay.yaml": []byte(overlay)}, catalogue.FS)
		if !strings.Contains(problems.Error(), want) || !strings.Contains(problems.Error(), "overlay.yaml:6") {
			t.Errorf("%s: %v", field, problems)
		}
	}
}
