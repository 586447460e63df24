package jsonrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"gantry/connectors"
	"gantry/connectors/web"
)

// The envelope of JSON-RPC 2.0: https://www.jsonrpc.org/specification.

func enveloped(id int64, method string, params any) map[string]any {
	out := map[string]any{"jsonrpc": "2.0", "id": id, "method": method}
	if params != nil {
		out["params"] = params
	}
	return out
}

// answers reports whether an answer is that to the request of this number. A server that could not read a request answers with the
// number null, and a fault.
func answers(envelope map[string]any, id int64) bool {
	n, ok := envelope["id"].(json.Number)
	return ok && n.String() == strconv.FormatInt(id, 10) || envelope["id"] == nil && envelope["error"] != nil
}

// plainFault makes a Failure of the member error.
func plainFault(said any) *connectors.Failure {
	object, _ := said.(map[string]any)
	code, _ := object["code"].(json.Number)
	message, _ := object["message"].(string)
	f := faulty(code.String(), firstLine(message))
	f.Source["code"], _ = code.Int64()
	switch data := object["data"].(type) {
	case string:
		f.Source["data"] = web.Clip(data)
	case map[string]any:
		f.Source["data"] = data
	}
	f.Err = errors.New(f.Message)
	return f
}

// batched is the answer to a batch, of which each member is one to a call.
type batched []any

// place tells to which call of a batch an answer is; -1: to none.
func place(envelope map[string]any, first int64) int64 {
	n, _ := envelope["id"].(json.Number)
	id, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil || id < first {
		return -1
	}
	return id - first
}

// together puts the answers of a batch into the order of its calls, whose numbers are first and those after it. A batch is done when every
// one of its calls is. One that was done in part leaves the system as nobody asked for it to be, and says so.
func together(value any, first, calls int64) (any, error) {
	answered, ok := value.(batched)
	if !ok {
		return nil, strange("the answer to a batch is no list")
	}
	results, found := make([]any, calls), make([]bool, calls)
	var refused *connectors.Failure
	done := int64(0)
	for _, one := range answered {
		envelope, _ := one.(map[string]any)
		i := place(envelope, first)
		if i < 0 || i >= calls || found[i] {
			return nil, strange("an answer of a batch is to none of its calls")
		}
		found[i] = true
		if said := envelope["error"]; said != nil {
			refused = plainFault(said)
			continue
		}
		if _, there := envelope["result"]; !there {
			return nil, strange("an answer of a batch has neither a result nor an error")
		}
		results[i] = envelope["result"]
		done++
	}
	switch {
	case slices.Contains(found, false):
		return nil, strange(fmt.Sprintf("%d of the batch's %d calls have no answer", calls-done, calls))
	case refused != nil && done > 0:
		refused.Message = web.Clip(fmt.Sprintf("%d of %d calls were done, and one was refused: %s", done, calls, refused.Message))
		refused.Status = statusStrange
	}
	if refused != nil {
		return nil, refused
	}
	return results, nil
}
