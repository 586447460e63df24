package tunnel

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/alexbrainman/sspi"
	"github.com/alexbrainman/sspi/negotiate"
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

// ntlmContext is an NTLM login with the account of this process. The package sspi/ntlm would do the same, but panics at the
// start of the program on a Windows from which NTLM was taken away.
type ntlmContext struct {
	credentials *sspi.Credentials
	context     *sspi.Context
}

// maxNTLM is the largest message of NTLM, in bytes, as Windows itself says.
const maxNTLM = 2888

func accountNTLM() (login, error) {
	credentials, err := sspi.AcquireCredentials("", sspi.NTLMSP_NAME, sspi.SECPKG_CRED_OUTBOUND, nil)
	if err != nil {
		return nil, fmt.Errorf("get Windows' credentials for the proxy: %w", err)
	}
	return &ntlmContext{credentials, sspi.NewClientContext(credentials, sspi.ISC_REQ_CONNECTION)}, nil
}

func (n *ntlmContext) answer(challenge []byte) ([]byte, error) {
	var in, out sspi.SecBuffer
	in.Set(sspi.SECBUFFER_TOKEN, challenge)
	out.Set(sspi.SECBUFFER_TOKEN, make([]byte, maxNTLM))
	said := n.context.Update(nil, described(&out), described(&in))
	if said != sspi.SEC_E_OK && said != sspi.SEC_I_CONTINUE_NEEDED {
		return nil, fmt.Errorf("log in by NTLM: %w", said)
	}
	return out.Bytes(), nil
}

func described(b *sspi.SecBuffer) *sspi.SecBufferDesc {
	return &sspi.SecBufferDesc{Version: sspi.SECBUFFER_VERSION, BuffersCount: 1, Buffers: b}
}

func (n *ntlmContext) close() {
	if n.context.Handle != nil {
		_ = n.context.Release()
	}
	_ = n.credentials.Release()
}
