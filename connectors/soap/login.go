package soap

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/markup"
)

// The ways to log in.
const (
	loginNone   = "none"
	loginBasic  = "basic"
	loginText   = "wsse-text"
	loginDigest = "wsse-digest"
)

// identity is the user of every call.
type identity struct {
	way      string
	user     string
	password connectors.Secret
}

func newIdentity(t connectors.Target) (identity, error) {
	id := identity{way: t.Setting("login"), user: t.Setting("username"), password: t.Credentials["password"]}
	switch id.way {
	case "":
		id.way = loginBasic
	case loginNone, loginBasic, loginText, loginDigest:
	default:
		return id, connectors.Misuse("login: must be basic, wsse-text, wsse-digest or none")
	}
	return id, nil
}

// header puts the login into the HTTP request.
func (id identity) header(h http.Header) {
	if id.way == loginBasic {
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id.user+":"+id.password.Reveal())))
	}
}

const (
	wsse     = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	wsu      = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	profile  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"
	encoding = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

// token writes the UsernameToken, as its profile 1.1 has it; each is made for one request, so that none can be used again.
func (id identity) token(b *strings.Builder, now time.Time) {
	if id.way != loginText && id.way != loginDigest {
		return
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // it never fails
	created := now.UTC().Format("2006-01-02T15:04:05.000Z")
	kind, word := "PasswordText", id.password.Reveal()
	if id.way == loginDigest {
		kind, word = "PasswordDigest", digest(nonce, created, word)
	}
	b.WriteString(`<e:Header><wsse:Security e:mustUnderstand="1" xmlns:wsse="` + wsse + `" xmlns:wsu="` + wsu + `"><wsse:UsernameToken><wsse:Username>`)
	markup.Escape(b, id.user)
	b.WriteString(`</wsse:Username><wsse:Password Type="` + profile + kind + `">`)
	markup.Escape(b, word)
	b.WriteString(`</wsse:Password><wsse:Nonce EncodingType="` + encoding + `">` + base64.StdEncoding.EncodeToString(nonce) +
		`</wsse:Nonce><wsu:Created>` + created + `</wsu:Created></wsse:UsernameToken></wsse:Security></e:Header>`)
}

// digest is Base64(SHA-1(nonce + created + password)): the profile leaves no choice of another.
func digest(nonce []byte, created, password string) string {
	sum := sha1.Sum(append(append([]byte{}, nonce...), created+password...))
	return base64.StdEncoding.EncodeToString(sum[:])
}
