package tunnel

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/alexbrainman/sspi"
	"github.com/alexbrainman/sspi/negotiate"
	"github.com/alexbrainman/sspi/ntlm"
)

// systemLogin lets Windows log in (SSPI): with the user that is set, else with the account of this process. Only a real
// Windows in a domain proves it; docs/windows.md says how.
func systemLogin(scheme string, proxy *url.URL) (login, error) {
	switch {
	case scheme == schemeNegotiate:
		return negotiateLogin(proxy)
	case scheme == schemeNTLM && proxy.User == nil:
		return accountNTLM()
	}
	return nil, nil // NTLM with a password needs no system
}

// negotiateContext is a Negotiate login under way.
type negotiateContext struct {
	credentials *sspi.Credentials
	target      string
	context     *negotiate.ClientContext
}

func negotiateLogin(proxy *url.URL) (login, error) {
	var credentials *sspi.Credentials
	var err error
	if proxy.User == nil {
		credentials, err = negotiate.AcquireCurrentUserCredentials()
	} else {
		password, _ := proxy.User.Password()
		domain, user := splitDomain(proxy.User.Username())
		credentials, err = negotiate.AcquireUserCredentials(domain, user, password)
	}
	if err != nil {
		return nil, fmt.Errorf("get Windows' credentials for the proxy: %w", err)
	}
	return &negotiateContext{credentials: credentials, target: "HTTP/" + proxy.Hostname()}, nil
}

func splitDomain(name string) (domain, user string) {
	if domain, user, ok := strings.Cut(name, `\`); ok {
		return domain, user
	}
	return "", name
}

func (n *negotiateContext) answer(challenge []byte) ([]byte, error) {
	if n.context == nil {
		context, token, err := negotiate.NewClientContextWithFlags(n.credentials, n.target, sspi.ISC_REQ_CONNECTION|sspi.ISC_REQ_MUTUAL_AUTH)
		n.context = context
		return token, err
	}
	_, token, err := n.context.Update(challenge)
	return token, err
}

func (n *negotiateContext) close() {
	if n.context != nil {
		_ = n.context.Release()
	}
	_ = n.credentials.Release()
}

// ntlmContext is an NTLM login with the account of this process.
type ntlmContext struct {
	credentials *sspi.Credentials
	context     *ntlm.ClientContext
}

func accountNTLM() (login, error) {
	credentials, err := ntlm.AcquireCurrentUserCredentials()
	if err != nil {
		return nil, fmt.Errorf("get Windows' credentials for the proxy: %w", err)
	}
	return &ntlmContext{credentials: credentials}, nil
}

func (n *ntlmContext) answer(challenge []byte) ([]byte, error) {
	if n.context == nil {
		context, token, err := ntlm.NewClientContext(n.credentials)
		n.context = context
		return token, err
	}
	return n.context.Update(challenge)
}

func (n *ntlmContext) close() {
	if n.context != nil {
		_ = n.context.Release()
	}
	_ = n.credentials.Release()
}
