package soap

import (
	"errors"
	"net/http"
	"strings"

	"gantry/connectors"
	"gantry/connectors/markup"
	"gantry/connectors/web"
)

// statusStrange is the status of an answer that is none of this protocol.
const statusStrange = "answer"

// maxDetail bounds how many texts of a fault's detail are kept.
const maxDetail = 50

func source(status int) map[string]any {
	return map[string]any{"http": int64(status), "fault": "", "detail": map[string]any{}, "refused": false}
}

// strange is an answer that is none of this protocol. What the call did is not known.
func strange(status int, message string) *connectors.Failure {
	return &connectors.Failure{Kind: connectors.Answered, Status: statusStrange, Message: message, Err: errors.New(message), Source: source(status)}
}

// result takes the element out of the envelope's body, or the fault.
func result(answer *web.Response) (*markup.Node, error) {
	body, err := inEnvelope(answer)
	if err != nil {
		return nil, err
	}
	if body != nil && body.Data == "Fault" {
		return nil, fault(answer.Status, body)
	}
	if answer.Status != http.StatusOK {
		f := answer.Refusal()
		f.Source["fault"], f.Source["detail"], f.Source["refused"] = "", map[string]any{}, answer.Status == http.StatusUnauthorized
		return nil, f
	}
	if body == nil {
		return nil, strange(answer.Status, "the answer is no envelope with an element in its body")
	}
	return body, nil
}

// inEnvelope gives the first element of the body; nil: the answer holds none.
func inEnvelope(answer *web.Response) (*markup.Node, error) {
	root, err := markup.Parse(answer.Body)
	if err != nil {
		if answer.Status == http.StatusOK {
			return nil, strange(answer.Status, "the answer cannot be read: "+err.Error())
		}
		return nil, nil // a page for people
	}
	return first(child(child(root, "Envelope"), "Body")), nil
}

// child gives an element's child of a name.
func child(n *markup.Node, name string) *markup.Node {
	if n == nil {
		return nil
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if markup.IsElement(c) && c.Data == name {
			return c
		}
	}
	return nil
}

func first(n *markup.Node) *markup.Node {
	if n == nil {
		return nil
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if markup.IsElement(c) {
			return c
		}
	}
	return nil
}

// text gives what stands in an element at a way of names.
func text(n *markup.Node, way ...string) string {
	for _, name := range way {
		n = child(n, name)
	}
	if n == nil {
		return ""
	}
	return strings.TrimSpace(n.InnerText())
}

// local takes the prefix off a name.
func local(name string) string {
	_, after, prefixed := strings.Cut(name, ":")
	if prefixed {
		return after
	}
	return name
}

// fault makes a Failure of what the system said. SOAP 1.1, section 4.4; SOAP 1.2 part 1, section 5.4.
func fault(status int, n *markup.Node) *connectors.Failure {
	f := &connectors.Failure{Kind: connectors.Answered, Source: source(status)}
	code, detail := local(text(n, "faultcode")), child(n, "detail")
	f.Message = text(n, "faultstring")
	if code == "" {
		code, detail = local(text(n, "Code", "Value")), child(n, "Detail")
		f.Message = text(n, "Reason", "Text")
		if sub := local(text(n, "Code", "Subcode", "Value")); sub != "" {
			code = sub
		}
	}
	said := map[string]any{}
	gather(detail, said)
	f.Status, f.Source["fault"], f.Source["detail"] = web.Clip(code), web.Clip(code), said
	f.Source["refused"] = refusals[code]
	if own := ownCode(said); own != "" {
		f.Status = own
	}
	if f.Message = web.Clip(f.Message); f.Message == "" {
		f.Message = "the system answered with a fault and no words"
	}
	f.Err = errors.New(f.Message)
	return f
}

// refusals are the codes of WS-Security, SOAP Message Security 1.1, section 12, that say no to a login.
var refusals = map[string]bool{"FailedAuthentication": true, "InvalidSecurityToken": true, "InvalidSecurity": true, "SecurityTokenUnavailable": true}

// gather keeps the texts of a detail's elements by their names, the first of each.
func gather(n *markup.Node, into map[string]any) {
	if n == nil {
		return
	}
	for c := n.FirstChild; c != nil && len(into) < maxDetail; c = c.NextSibling {
		if !markup.IsElement(c) {
			continue
		}
		if first(c) != nil {
			gather(c, into)
		} else if _, known := into[c.Data]; !known {
			into[c.Data] = web.Clip(strings.TrimSpace(c.InnerText()))
		}
	}
}

// ownCode finds the system's own code in a detail.
func ownCode(said map[string]any) string {
	for _, name := range []string{"Code", "code", "ErrorCode", "errorCode", "errorcode", "ErrorNumber", "number"} {
		if code, _ := said[name].(string); code != "" {
			return code
		}
	}
	return ""
}
