package web_test

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"gantry/connectors/web"
)

// challenge is the second message of NTLM, [MS-NLMP] 2.2.1.2, with a fixed nonce and no target.
func challenge() string {
	b := make([]byte, 56)
	copy(b, "NTLMSSP\x00")
	binary.LittleEndian.PutUint32(b[8:], 2)
	binary.LittleEndian.PutUint32(b[16:], 56)
	binary.LittleEndian.PutUint32(b[20:], 0x20880205) // unicode, target, NTLM, extended session security, target info, 128 bits
	copy(b[24:], "nonce678")
	b = append(b, 0, 0, 0, 0) // target info: its end
	binary.LittleEndian.PutUint16(b[40:], 4)
	binary.LittleEndian.PutUint16(b[42:], 4)
	binary.LittleEndian.PutUint32(b[44:], 56)
	return base64.StdEncoding.EncodeToString(b)
}

// TestNTLM makes the three messages on one connection, also when many ask at once. The server is the test's own and
// checks no password: that a real one takes it is not proved here.
func TestNTLM(t *testing.T) {
	var mu sync.Mutex
	state := map[string]int{} // connection: messages
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		said := r.Header.Get("Authorization")
		if strings.HasPrefix(said, "Basic ") {
			t.Error("the password went out in clear")
		}
		_, message, _ := strings.Cut(said, " ")
		raw, _ := base64.StdEncoding.DecodeString(message)
		switch {
		case len(raw) > 12 && raw[8] == 1:
			state[r.RemoteAddr] = 1
			w.Header().Set("WWW-Authenticate", "NTLM "+challenge())
			w.WriteHeader(401)
			_, _ = w.Write([]byte("<html>who are you?</html>"))
		case len(raw) > 12 && raw[8] == 3 && state[r.RemoteAddr] == 1:
			state[r.RemoteAddr] = 0
			_, _ = w.Write([]byte("welcome"))
		default:
			state[r.RemoteAddr] = 0
			w.Header().Set("WWW-Authenticate", "NTLM")
			w.WriteHeader(401)
			_, _ = w.Write([]byte("<html>who are you?</html>"))
		}
	}))
	t.Cleanup(s.Close)
	client, err := web.New(web.Options{Address: s.URL, Dial: dial, NTLM: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			header := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(`PLANT\agent:s3cret`))}}
			answer, err := client.Do(t.Context(), web.Request{Method: http.MethodPost, URL: "x", Header: header, Body: []byte("{}"), Effect: true})
			if err != nil || answer.Status != 200 || string(answer.Body) != "welcome" {
				t.Errorf("%+v, %v", answer, err)
			}
		})
	}
	group.Wait()
}
