package dashboard

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"time"
)

// sessionLife is how long a sign-in holds.
const sessionLife = 12 * time.Hour

// SecretSize is the size of the secret that seals sessions, in bytes.
const SecretSize = 32

var errNoSession = errors.New("no session")

// session is a sign-in with a key.
type session struct {
	token    string
	signOuts int // of the key, when it began: it ends when they are more
}

// seals makes and opens the cookies of sessions: AES-256-GCM over the time of the sign-in, the key's sign-outs before it,
// and the key's token.
type seals struct {
	aead   cipher.AEAD
	secure bool // browsers come over HTTPS
	now    func() time.Time
}

func newSeals(secret []byte, secure bool, now func() time.Time) (*seals, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &seals{aead, secure, now}, nil
}

// seal makes the value of a cookie.
func (s *seals) seal(begun session) string {
	plain := binary.BigEndian.AppendUint64(nil, uint64(s.now().UnixMilli()))
	plain = binary.BigEndian.AppendUint64(plain, uint64(begun.signOuts))
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, append(plain, begun.token...), nil))
}

// open gives the session of a cookie that is whole and young.
func (s *seals) open(value string) (session, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return session{}, errNoSession
	}
	plain, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil || len(plain) < 16 {
		return session{}, errNoSession
	}
	signedIn := time.UnixMilli(int64(binary.BigEndian.Uint64(plain)))
	if age := s.now().Sub(signedIn); age < -time.Minute || age > sessionLife {
		return session{}, errNoSession
	}
	return session{string(plain[16:]), int(binary.BigEndian.Uint64(plain[8:]))}, nil
}

// cookieName is that of the session. Over HTTPS the browser itself makes sure that no other host sets it.
func (s *seals) cookieName() string {
	if s.secure {
		return "__Host-gantry"
	}
	return "gantry"
}

func (s *seals) session(r *http.Request) (session, error) {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return session{}, errNoSession
	}
	return s.open(cookie.Value)
}

// signIn sets the session in the browser; the zero one takes it away there.
func (s *seals) signIn(w http.ResponseWriter, begun session) {
	c := &http.Cookie{Name: s.cookieName(), Path: "/", HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode, MaxAge: -1}
	if begun.token != "" {
		c.Value, c.MaxAge = s.seal(begun), int(sessionLife.Seconds())
	}
	http.SetCookie(w, c)
}

// NewSecret makes a secret for sessions.
func NewSecret() ([]byte, error) {
	secret := make([]byte, SecretSize)
	_, err := rand.Read(secret)
	return secret, err
}
