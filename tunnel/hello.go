package tunnel

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Lane is what a session is for. When one is down the other carries both.
type Lane string

// The lanes.
const (
	LaneCalls Lane = "calls" // small calls, many at once
	LaneBulk  Lane = "bulk"  // streams of records
)

// Hello is what the agent says first. Who it is, its certificate says; this tells two processes of one identity apart.
type Hello struct {
	InstanceID string          `json:"instance_id"` // of the process, random
	MachineID  string          `json:"machine_id"`
	Lane       Lane            `json:"lane"`
	Facts      json.RawMessage `json:"facts,omitempty"` // the agent about itself; this package does not look into it
}

// welcome is what the relay answers: the agent's id, or why it may not come in.
type welcome struct {
	AgentID string   `json:"agent_id,omitempty"`
	Expired bool     `json:"expired,omitempty"` // by the relay's clock, the only one that counts: see Peer.Expired
	Refused *Refused `json:"refused,omitempty"`
}

func (h Hello) check() error {
	switch {
	case h.Lane != LaneCalls && h.Lane != LaneBulk:
		return errors.New("hello: unknown lane")
	case h.InstanceID == "" || len(h.InstanceID) > 128:
		return errors.New("hello: an instance id has 1 to 128 bytes")
	case len(h.MachineID) > 256:
		return errors.New("hello: a machine id has at most 256 bytes")
	}
	return nil
}

// writeMessage sends v as JSON behind its length (four bytes, big-endian), in one write.
func writeMessage(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if len(body) > maxHello {
		return fmt.Errorf("encode message: %d bytes, %d are allowed", len(body), maxHello)
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

// readMessage reads what writeMessage sent, and not a byte more: what follows belongs to the streams.
func readMessage(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > maxHello {
		return fmt.Errorf("message of %d bytes, %d are allowed", size, maxHello)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("decode message: %w", err)
	}
	return nil
}

// readHello reads and checks an agent's hello.
func readHello(r io.Reader) (Hello, error) {
	var h Hello
	if err := readMessage(r, &h); err != nil {
		return Hello{}, err
	}
	return h, h.check()
}

// readWelcome reads the relay's answer; a refusal is returned as the error.
func readWelcome(r io.Reader) (welcome, error) {
	var w welcome
	if err := readMessage(r, &w); err != nil {
		return welcome{}, err
	}
	if w.Refused != nil {
		return welcome{}, w.Refused.bounded()
	}
	return w, nil
}
