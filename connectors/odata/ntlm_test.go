package odata_test

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"gantry/connectors"

	"golang.org/x/crypto/md4" //lint:ignore SA1019 NTLM hashes passwords with it
)

// ntlm is the part of a server that NTLM asks for, [MS-NLMP] 2.2.1 and 3.3.2: it knows PLANT\agent's password, and holds the answer of version 2
// to its challenge against it. A login belongs to a connection. It is written after Microsoft's document; that Windows says the same is not
// proved here.
type ntlm struct {
	t        *testing.T
	password string
	lasting  bool // a connection that logged in stays so, as at IIS; else each request logs in

	mu       sync.Mutex
	asked    map[string]bool // connections that were given the challenge
	in       map[string]bool // that are logged in
	messages [4]int          // by their type; 0: requests without one
}

const nonce = "nonce678"

func (n *ntlm) admits(w http.ResponseWriter, r *http.Request) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	said := r.Header.Get("Authorization")
	text, is := strings.CutPrefix(said, "NTLM ")
	if !is && said != "" {
		n.t.Errorf("the login went out as %.20q", said)
	}
	raw, _ := base64.StdEncoding.DecodeString(text)
	kind := 0
	if len(raw) > 12 {
		kind = int(raw[8])
	}
	n.messages[kind]++
	from := r.RemoteAddr
	switch {
	case kind == 0 && n.in[from]:
		return true
	case kind == 1:
		n.asked[from] = true
		w.Header().Set("WWW-Authenticate", "NTLM "+base64.StdEncoding.EncodeToString(challenge()))
	case kind == 3 && n.asked[from] && n.knows(raw):
		n.asked[from], n.in[from] = false, n.lasting
		return true
	default:
		n.asked[from], n.in[from] = false, false
		w.Header().Set("WWW-Authenticate", "NTLM")
	}
	return refuse(w)
}

// challenge is the second message: unicode, target information, extended session security, 128 bits.
func challenge() []byte {
	target := utf16le("PLANT")
	info := append([]byte{2, 0, byte(len(target)), 0}, target...) // MsvAvNbDomainName
	info = append(info, 0, 0, 0, 0)
	b := make([]byte, 56)
	copy(b, "NTLMSSP\x00")
	binary.LittleEndian.PutUint32(b[8:], 2)
	binary.LittleEndian.PutUint32(b[16:], 56)
	binary.LittleEndian.PutUint32(b[20:], 0x20880205)
	copy(b[24:], nonce)
	binary.LittleEndian.PutUint16(b[40:], uint16(len(info)))
	binary.LittleEndian.PutUint16(b[42:], uint16(len(info)))
	binary.LittleEndian.PutUint32(b[44:], 56)
	return append(b, info...)
}

// knows holds the third message against the password: NTLMv2, 3.3.2.
func (n *ntlm) knows(message []byte) bool {
	field := func(at int) []byte {
		length, from := binary.LittleEndian.Uint16(message[at:]), binary.LittleEndian.Uint32(message[at+4:])
		return message[from : from+uint32(length)]
	}
	response, domain, user := field(20), field(28), field(36)
	if len(response) < 24 || string(domain) != string(utf16le("PLANT")) || string(user) != string(utf16le("agent")) {
		return false
	}
	hash := md4.New()
	hash.Write(utf16le(n.password))
	key := sum(hash.Sum(nil), append(utf16le("AGENT"), domain...))
	return hmac.Equal(response[:16], sum(key, append([]byte(nonce), response[16:]...)))
}

func sum(key, message []byte) []byte {
	h := hmac.New(md5.New, key)
	h.Write(message)
	return h.Sum(nil)
}

func utf16le(s string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}

func (s *service) ntlm(t *testing.T, lasting bool, password string) (*ntlm, connectors.Conn) {
	n := &ntlm{t: t, password: "Pl4nt-pä55", lasting: lasting, asked: map[string]bool{}, in: map[string]bool{}}
	s.admits = n.admits
	target := s.target(t, nil)
	target.Settings["login"], target.Settings["username"] = "ntlm", `PLANT\agent`
	target.Credentials = map[string]connectors.Secret{"password": connectors.NewSecret(password)}
	return n, openTarget(t, target)
}

// TestNTLM reads and writes with a login of NTLM, also when many ask at once.
func TestNTLM(t *testing.T) {
	for name, lasting := range map[string]bool{"a connection that stays logged in": true, "a login for each request": false} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, "v2")
			s.count(9)
			var made sync.Map
			s.guarded("POST /svc/Orders", func(w http.ResponseWriter, r *http.Request) {
				id := fmt.Sprint(r.ContentLength)
				if _, again := made.LoadOrStore(id, true); again {
					t.Errorf("the order of %s bytes was made twice", id)
				}
				fmt.Fprintf(w, `{"d":{"Order":"%s"}}`, id)
			})
			n, conn := s.ntlm(t, lasting, "Pl4nt-pä55")
			var group sync.WaitGroup
			for i := range 6 {
				group.Go(func() {
					if got, err := ids(t, conn, 0); got != "1 2 3 4 5 6 7 8 9" || err != nil {
						t.Errorf("%q, %v", got, err)
					}
					note := strings.Repeat("x", i+1)
					if _, err := exec(t, conn, step(t, "v2", `{"post":"Orders","body":{"Note":":note"}}`), connectors.Vars{"note": note}); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if lasting == (n.messages[3] > 10) || n.messages[1] != n.messages[3] {
				t.Errorf("messages: %v", n.messages)
			}
		})
	}
}

// TestNTLMRefused: a wrong password is tried once.
func TestNTLMRefused(t *testing.T) {
	s := newService(t, "v2")
	n, conn := s.ntlm(t, true, "wr0ng")
	for range 3 {
		_, err := conn.Check(t.Context())
		f := failure(t, err)
		if f.Kind != connectors.Answered || f.Source["login"] != true || f.Message != "Logon failed" {
			t.Errorf("%+v", f)
		}
		hides(t, f, "wr0ng")
	}
	if n.messages != [4]int{1, 1, 0, 1} {
		t.Errorf("messages: %v", n.messages)
	}
}

// TestNTLMCut: a write whose answer was lost under the login's last message is open, not refused; and a cut is no refused password.
func TestNTLMCut(t *testing.T) {
	s := newService(t, "v2")
	s.count(1)
	s.routes["POST /svc/Orders"] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	_, conn := s.ntlm(t, false, "Pl4nt-pä55")
	_, err := exec(t, conn, step(t, "v2", `{"post":"Orders","body":{"Note":"new"}}`), nil)
	if f := failure(t, err); f.Kind != connectors.Lost || !f.Sent || f.Source["login"] == true {
		t.Errorf("%+v", f)
	}
	if got, err := ids(t, conn, 0); got != "1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
