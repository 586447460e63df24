package tunnel

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHelloRoundTrip(t *testing.T) {
	want := Hello{InstanceID: "ins_1", MachineID: "mac_1", Lane: LaneBulk, Facts: json.RawMessage(`{"os":"linux"}`)}
	var wire bytes.Buffer
	if err := writeMessage(&wire, want); err != nil {
		t.Fatal(err)
	}
	wire.WriteString("what follows")
	got, err := readHello(&wire)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if wire.String() != "what follows" {
		t.Errorf("read into what follows: %q is left", wire.String())
	}
}

func TestHelloBounds(t *testing.T) {
	tests := []struct {
		name string
		wire string
	}{
		{"nothing", ""},
		{"a length alone", "\x00\x00\x00\x05"},
		{"4 GiB announced", "\xff\xff\xff\xff{}"},
		{"one byte too many", "\x00\x00\x40\x01" + strings.Repeat(" ", maxHello+1)},
		{"not JSON", "\x00\x00\x00\x02xx"},
		{"no instance", frame(`{"lane":"calls"}`)},
		{"no lane", frame(`{"instance_id":"i"}`)},
		{"an endless machine id", frame(`{"instance_id":"i","lane":"calls","machine_id":"` + strings.Repeat("m", 300) + `"}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if h, err := readHello(strings.NewReader(tt.wire)); err == nil {
				t.Errorf("took %+v", h)
			}
		})
	}
	if err := writeMessage(io.Discard, Hello{Facts: json.RawMessage(`"` + strings.Repeat("x", maxHello) + `"`)}); err == nil {
		t.Error("sent a hello that the relay would not take")
	}
}

func frame(body string) string {
	return string([]byte{0, 0, byte(len(body) >> 8), byte(len(body))}) + body
}

func FuzzHello(f *testing.F) {
	f.Add([]byte(frame(`{"instance_id":"i","lane":"calls"}`)))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := readHello(bytes.NewReader(raw))
		if err == nil && h.check() != nil {
			t.Errorf("gave a hello that does not hold: %+v", h)
		}
	})
}

func FuzzWelcome(f *testing.F) {
	f.Add([]byte(frame(`{"refused":{"code":"revoked","message":"m"}}`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, err := readWelcome(bytes.NewReader(raw))
		if r, ok := errors.AsType[*Refused](err); ok && len(r.Code)+len(r.Message) > 64+512 {
			t.Errorf("gave a refusal of %d bytes", len(r.Code)+len(r.Message))
		}
	})
}

// capture is what crypto/tls says first.
func capture(t testing.TB) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	go func() { _ = tls.Client(far, &tls.Config{ServerName: "gantry-relay"}).Handshake(); far.Close() }()
	_ = near.SetDeadline(time.Now().Add(5 * time.Second))
	raw, err := readClientHello(near)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestClientHello(t *testing.T) {
	whole := capture(t)
	body := whole[recordHeader:]
	split := append(record(body[:3]), append(record(body[3:100]), record(body[100:])...)...)
	tests := []struct {
		name string
		wire []byte
		ok   bool
	}{
		{"whole", whole, true},
		{"in three records", split, true},
		{"cut", whole[:len(whole)-1], false},
		{"nothing", nil, false},
		{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n"), false},
		{"another message", record([]byte{2, 0, 0, 0}), false},
		{"an empty record", []byte{22, 3, 1, 0, 0}, false},
		{"announced too large", record([]byte{1, 0xff, 0xff, 0xff}), false},
		{"without end", bytes.Repeat(record([]byte{1, 0, 0x3f, 0xff}), 10000), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := bytes.NewReader(append(bytes.Clone(tt.wire), "rest"...))
			if !tt.ok {
				r = bytes.NewReader(tt.wire)
			}
			got, err := readClientHello(r)
			if (err == nil) != tt.ok {
				t.Fatalf("readClientHello: %v", err)
			}
			if tt.ok && (!bytes.Equal(got, tt.wire) || r.Len() != len("rest")) {
				t.Error("gave other bytes than it read, or read too many")
			}
		})
	}
}

func record(body []byte) []byte {
	return append([]byte{22, 3, 1, byte(len(body) >> 8), byte(len(body))}, body...)
}

func FuzzClientHello(f *testing.F) {
	f.Add(capture(f))
	f.Add([]byte("GET / HTTP/1.1"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := readClientHello(bytes.NewReader(raw))
		if err == nil && (len(got) > maxClientHello || !bytes.HasPrefix(raw, got)) {
			t.Errorf("gave %d bytes that are not the beginning of what came", len(got))
		}
	})
}

func TestAdmissionCaps(t *testing.T) {
	a := newAdmission(1)
	var leaves []func()
	for range maxPendingAddress {
		leave, ok := a.enter("10.0.0.1:1234")
		if !ok {
			t.Fatal("refused below the cap")
		}
		leaves = append(leaves, leave)
	}
	if _, ok := a.enter("10.0.0.1:9"); ok {
		t.Error("one address got more than its share")
	}
	if _, ok := a.enter("10.0.0.2:9"); !ok {
		t.Error("another address was refused")
	}
	for _, leave := range leaves {
		leave()
	}
	if _, ok := a.enter("10.0.0.1:9"); !ok || len(a.address) != 2 {
		t.Errorf("places were not given back: %v", a.address)
	}
}

func TestAdmissionLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(1)
		if err := a.place(t.Context()); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := a.place(t.Context()); !errors.Is(err, errLine) || time.Since(begun) != line {
			t.Errorf("in line for %s: %v", time.Since(begun), err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := a.place(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("with nobody waiting: %v", err)
		}
		a.giveBack()
		if err := a.place(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestOneMessage: what is queued together travels as one write to the connection.
func TestOneMessage(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	l := &link{Conn: near}
	sizes := make(chan int)
	go func() {
		buf := make([]byte, 1<<20)
		for {
			n, err := far.Read(buf)
			if err != nil {
				close(sizes)
				return
			}
			sizes <- n
		}
	}()
	l.cork(borrow())
	for range 10 {
		if _, err := l.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		buf, _ := l.uncork()
		giveBack(buf)
		_, _ = l.Write([]byte("alone"))
		near.Close()
	}()
	var got []int
	for n := range sizes {
		got = append(got, n)
	}
	if diff := cmp.Diff([]int{10000, 5}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTunnelURL(t *testing.T) {
	tests := map[string]string{
		"wss://relay.example":               "https://relay.example/tunnel",
		"https://relay.example:8443/":       "https://relay.example:8443/tunnel",
		"ws://127.0.0.1:8480/tunnel":        "http://127.0.0.1:8480/tunnel",
		"http://user:pw@relay/gantry?x=1#y": "http://relay/gantry/tunnel",
		"ftp://relay":                       "",
		"relay.example":                     "",
		"://":                               "",
	}
	for text, want := range tests {
		got := ""
		if u, err := tunnelURL(text); err == nil {
			got = u.String()
		}
		if got != want {
			t.Errorf("tunnelURL(%q) = %q; want %q", text, got, want)
		}
	}
}
