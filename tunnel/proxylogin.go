package tunnel

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/go-ntlmssp"
)

// challenge is one scheme that a proxy offers, with its token, if any (RFC 9110, 11.3).
type challenge struct {
	scheme string
	token  []byte
}

// challenges reads Proxy-Authenticate: a header for each scheme, or one for all, with commas. At most 8 are kept.
func challenges(values []string) []challenge {
	var all []challenge
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			scheme, rest, _ := strings.Cut(strings.TrimSpace(part), " ")
			if len(all) == 8 || !isScheme(scheme) {
				continue // a further parameter of the scheme before
			}
			token, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
			if err != nil {
				token = nil // parameters, as realm="plant"
			}
			all = append(all, challenge{shorten(scheme, 32), token})
		}
	}
	return all
}

func isScheme(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
}

// find gives the challenge of a scheme.
func find(all []challenge, scheme string) (challenge, bool) {
	for _, c := range all {
		if strings.EqualFold(c.scheme, scheme) {
			return c, true
		}
	}
	return challenge{}, false
}

// The schemes, as they are written.
const (
	schemeNegotiate = "Negotiate" // RFC 4559: Kerberos, or NTLM within
	schemeNTLM      = "NTLM"      // MS-NTHT
	schemeBasic     = "Basic"     // RFC 7617
)

// login answers what a proxy says of one scheme.
type login interface {
	// answer gives the next token; challenge is the proxy's, nil at first.
	answer(challenge []byte) ([]byte, error)
	close()
}

// loginRounds bounds the requests of one login: Kerberos takes one or two, NTLM two.
const loginRounds = 4

// logIn tries the strongest scheme for which there is a login. There is no second try with a weaker one: whoever stands
// between could ask for a password in clear by refusing what is better.
func (c *connecting) logIn(ctx context.Context, asked *proxyAnswer) (*proxyAnswer, error) {
	scheme, own, err := strongest(asked.challenges, c.proxy)
	if err != nil {
		return nil, c.failed(err)
	}
	if own == nil {
		return asked, nil
	}
	defer own.close()
	c.login = scheme
	var said []byte
	for range loginRounds {
		token, err := own.answer(said)
		if err != nil {
			return nil, c.failed(fmt.Errorf("log in at the proxy by %s: %w", scheme, err))
		}
		send := c.ask
		if said != nil {
			send = c.goOn
		}
		asked, err = send(ctx, scheme+" "+base64.StdEncoding.EncodeToString(token))
		if err != nil || asked.status != http.StatusProxyAuthRequired {
			return asked, err
		}
		next, ok := find(asked.challenges, scheme)
		if !ok || len(next.token) == 0 {
			return asked, nil // refused
		}
		said = next.token
	}
	return asked, nil
}

// goOn sends what belongs to the connection on which the login began: NTLM and Negotiate mean nothing on another.
func (c *connecting) goOn(ctx context.Context, authorization string) (*proxyAnswer, error) {
	if c.conn == nil {
		return nil, c.failed(fmt.Errorf("log in at the proxy by %s: %w", c.login, errCutLogin))
	}
	answer, err := c.askOnce(ctx, authorization)
	if failed, ok := errors.AsType[*DialError](err); ok {
		return nil, c.failed(fmt.Errorf("log in at the proxy by %s: %w: %w", c.login, errCutLogin, failed.Err))
	}
	return answer, err
}

var errCutLogin = errors.New("it closes the connection in the middle of the login")

// strongest chooses among what a proxy offers: Negotiate, NTLM, then Basic. Without a user the operating system logs in
// with the account of this process, where it can; nil: there is no login for any of them.
func strongest(offered []challenge, proxy *url.URL) (string, login, error) {
	for _, scheme := range []string{schemeNegotiate, schemeNTLM} {
		if _, ok := find(offered, scheme); !ok {
			continue
		}
		if own, err := systemLogin(scheme, proxy); own != nil || err != nil {
			return scheme, own, err
		}
	}
	if proxy.User == nil {
		return "", nil, nil
	}
	// Without the system's help, NTLM: where only Negotiate is offered, within that, which Windows' proxies take.
	for _, scheme := range []string{schemeNTLM, schemeNegotiate} {
		if _, ok := find(offered, scheme); ok {
			return scheme, ntlmLogin{proxy.User}, nil
		}
	}
	if _, ok := find(offered, schemeBasic); ok {
		return schemeBasic, basicLogin{proxy.User}, nil
	}
	return "", nil, nil
}

type basicLogin struct{ user *url.Userinfo }

func (b basicLogin) answer([]byte) ([]byte, error) {
	password, _ := b.user.Password()
	return []byte(b.user.Username() + ":" + password), nil
}

func (basicLogin) close() {}

// ntlmLogin is NTLMv2 (MS-NLMP) by user and password; the user may be DOMAIN\user or user@domain.
type ntlmLogin struct{ user *url.Userinfo }

func (n ntlmLogin) answer(challenge []byte) ([]byte, error) {
	if challenge == nil {
		return ntlmssp.NewNegotiateMessage("", "")
	}
	password, _ := n.user.Password()
	return ntlmssp.NewAuthenticateMessage(whole(challenge), n.user.Username(), password, nil)
}

// whole takes those fields out of a CHALLENGE_MESSAGE (MS-NLMP, 2.2.1.2) that it places outside of itself, the target's
// name and the target's information: a response can do without either, and there are proxies that write them so, squid's
// helper for tests among them.
func whole(challenge []byte) []byte {
	own := bytes.Clone(challenge)
	for _, field := range []int{12, 40} { // size, room and place: 2, 2 and 4 bytes
		if len(own) < field+8 {
			continue
		}
		size, place := binary.LittleEndian.Uint16(own[field:]), binary.LittleEndian.Uint32(own[field+4:])
		if uint64(place)+uint64(size) > uint64(len(own)) {
			clear(own[field : field+4])
		}
	}
	return own
}

func (ntlmLogin) close() {}
