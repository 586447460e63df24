// Package enrol is how a fresh agent becomes known to its relay, once.
//
// Someone at the cloud's side asks the relay for a Token and hands its text to plant IT. The text holds all that the
// agent needs: where the relay is, the pin of its authority, a one-time secret and an end. The agent makes a key, opens
// the tunnel in its enrolment form (inner TLS to the pinned authority, no client certificate yet) and sends a Request;
// the relay consumes the secret, stores the agent and answers with a certificate.
//
// The package holds the text form, the exchange and its bounds. What a secret is worth, the relay knows; where a key
// is kept, the agent does. The relay stores a hash of the secret and never the secret.
package enrol

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"gantry/tunnel/pki"
)

// Prefix starts every token, so that people and secret scanners know one.
const Prefix = "get_"

// SecretSize is the size of a new token's secret in bytes; MinSecret is the least that Parse takes (160 bits).
const (
	SecretSize = 32
	MinSecret  = 20
)

// What can be wrong with a token's text. A token that was used, or has ended, reads well: only the relay can tell.
var (
	ErrNotToken = errors.New("this is not an enrolment token: one starts with get_")
	ErrCut      = errors.New("the enrolment token is cut short: its end is missing; copy all of it")
	ErrMistyped = errors.New("the enrolment token is mistyped: a character of it was changed or added; copy it again")
)

// Token is what an enrolment token says. It is a secret: its text form comes from Encode alone.
type Token struct {
	Relay   string // URL: wss, ws, https or http
	Pin     pki.Pin
	Secret  []byte
	Expires time.Time // by the relay's clock; whole seconds
}

// The layout behind the prefix, in base64url without padding:
//
//	2  length of the payload, big-endian
//	1  check of the length, so that a mistyped length is not taken for a cut
//	n  payload
//	4  check of all before: the first bytes of its SHA-256
//
// and of the payload:
//
//	1  version, 1
//	8  end, Unix seconds
//	32 pin
//	1  length of the secret, then the secret
//	   the relay's URL, to the end
const (
	version     = 1
	headSize    = 3
	sumSize     = 4
	fixedSize   = 1 + 8 + 32 + 1
	maxPayload  = 2 << 10
	maxText     = 4 << 10
	lengthCheck = 0x5A
)

// String names the token without its secret.
func (t Token) String() string { return "enrolment token for " + t.Relay }

// GoString keeps the secret out of %#v.
func (t Token) GoString() string { return t.String() }

// LogValue keeps the secret out of logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Encode gives the text that is handed to plant IT. The secret may have up to 255 bytes.
func (t Token) Encode() string {
	payload := []byte{version}
	payload = binary.BigEndian.AppendUint64(payload, uint64(t.Expires.Unix()))
	payload = append(payload, t.Pin[:]...)
	payload = append(payload, byte(len(t.Secret)))
	payload = append(payload, t.Secret...)
	payload = append(payload, t.Relay...)

	out := binary.BigEndian.AppendUint16(nil, uint16(len(payload)))
	out = append(out, out[0]^out[1]^lengthCheck)
	out = append(out, payload...)
	out = append(out, checksum(out)...)
	return Prefix + base64.RawURLEncoding.EncodeToString(out)
}

// Parse reads a token's text; white space in it, as a terminal's line breaks leave, is left aside. The error is, or
// wraps, ErrNotToken, ErrCut or ErrMistyped, and holds nothing of the text.
func Parse(text string) (Token, error) {
	text = strings.Join(strings.Fields(text), "")
	body, ok := strings.CutPrefix(text, Prefix)
	if !ok {
		return Token{}, ErrNotToken
	}
	if len(body) > maxText {
		return Token{}, ErrMistyped
	}
	raw, err := base64.RawURLEncoding.DecodeString(body[:len(body)-dangling(body)])
	if err != nil {
		return Token{}, ErrMistyped
	}
	payload, err := open(raw)
	if err != nil {
		return Token{}, err
	}
	if dangling(body) != 0 {
		return Token{}, ErrMistyped
	}
	return parsePayload(payload)
}

// dangling counts the characters at the end that no whole byte comes of: a cut leaves one in four times.
func dangling(body string) int {
	if len(body)%4 == 1 {
		return 1
	}
	return 0
}

// open checks length and checksum.
func open(raw []byte) ([]byte, error) {
	if len(raw) < headSize {
		return nil, ErrCut
	}
	if raw[0]^raw[1]^lengthCheck != raw[2] {
		return nil, ErrMistyped
	}
	whole := headSize + int(binary.BigEndian.Uint16(raw)) + sumSize
	switch {
	case whole > maxPayload:
		return nil, ErrMistyped
	case len(raw) < whole:
		return nil, ErrCut
	case len(raw) > whole, !bytes.Equal(checksum(raw[:whole-sumSize]), raw[whole-sumSize:]):
		return nil, ErrMistyped
	}
	return raw[headSize : whole-sumSize], nil
}

func parsePayload(p []byte) (Token, error) {
	if len(p) < fixedSize || p[0] != version {
		return Token{}, fmt.Errorf("%w (a token of this form needs a newer agent)", ErrNotToken)
	}
	t := Token{Expires: time.Unix(int64(binary.BigEndian.Uint64(p[1:9])), 0).UTC()}
	copy(t.Pin[:], p[9:41])
	n := int(p[41])
	if n < MinSecret || len(p) < fixedSize+n {
		return Token{}, fmt.Errorf("%w: its secret is too short", ErrNotToken)
	}
	t.Secret = bytes.Clone(p[fixedSize : fixedSize+n])
	t.Relay = string(p[fixedSize+n:])
	if !validRelay(t.Relay) {
		return Token{}, fmt.Errorf("%w: it names no relay", ErrNotToken)
	}
	return t, nil
}

func validRelay(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
		return true
	}
	return false
}

func checksum(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:sumSize]
}
