package jsonrpc

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/template"
)

// maxBatch bounds the calls of one request.
const maxBatch = 1000

// compileBatch compiles several calls that go in one request. What is called is the definition's word, never a parameter's.
func (s *statement) compileBatch(native map[string]any) (err error) {
	calls, _ := native["batch"].([]any)
	if len(calls) == 0 || native["method"] != nil || native["params"] != nil || native["named"] != nil || native["unchanged"] != nil {
		return errors.New("batch: a list of calls, each with method and params or named, in place of these")
	}
	for i, one := range calls {
		call, _ := one.(map[string]any)
		if call["$each"] != nil {
			call, _ = call["$do"].(map[string]any)
		}
		if err := checkBatched(call); err != nil {
			return fmt.Errorf("batch: [%d]: %w", i, err)
		}
	}
	s.batch, err = s.template("batch", native["batch"])
	return err
}

func checkBatched(call map[string]any) error {
	method, _ := call["method"].(string)
	_, list := call["params"].([]any)
	_, object := call["named"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(call)) {
		if !slices.Contains([]string{"method", "named", "params"}, name) {
			return fmt.Errorf("%s: a call of a batch has method, and params or named", name)
		}
	}
	if strings.HasPrefix(method, ":") || !methodName.MatchString(method) || call["params"] != nil && !list || call["named"] != nil && !object || list && object {
		return errors.New("a call of a batch has method, and params or named")
	}
	return nil
}

func (s *statement) renderBatch(r *template.Rendering) (invocation, error) {
	rendered, err := renderList(s.batch, r)
	if err != nil {
		return invocation{}, err
	}
	if len(rendered) == 0 || len(rendered) > maxBatch {
		return invocation{}, connectors.Misuse("the batch has %d calls; it may have 1 to %d", len(rendered), maxBatch)
	}
	var call invocation
	for _, one := range rendered {
		object := one.(map[string]any)
		inner := invocation{method: object["method"].(string)}
		inner.params, _ = object["params"].([]any)
		inner.named, _ = object["named"].(map[string]any)
		call.batch = append(call.batch, inner)
	}
	return call, nil
}
