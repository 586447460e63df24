package seal

import (
	"bytes"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

const (
	version   = 1
	label     = "gantry sealed credentials v1"
	nonceSize = 16
	encSize   = 65 // an uncompressed P-256 point

	// MaxSealed bounds a sealed login, in bytes of its JSON.
	MaxSealed = 128 << 10
)

// The reasons for which a sealed login cannot be opened. Their texts are fit for callers.
var (
	ErrMalformed = errors.New("the sealed credentials are malformed")
	ErrVersion   = errors.New("the sealed credentials are of a version that this agent does not know")
	ErrOtherKey  = errors.New("the credentials are sealed to another key")
	ErrBroken    = errors.New("the sealed credentials do not open for this organisation, site, system and these settings")
)

// Place is where sealed credentials may be used, and nowhere else.
type Place struct {
	Organisation string
	Site         string
	System       string
	Settings     json.RawMessage // a JSON object; empty is {}
}

// Sealed is the JSON form of the public API: binary members are base64url without padding.
type Sealed struct {
	V          int      `json:"v"`
	KeyID      string   `json:"key_id"`
	Nonce      binary64 `json:"nonce"`
	Enc        binary64 `json:"enc"`
	Ciphertext binary64 `json:"ciphertext"`
}

// binary64 is a byte string that is base64url without padding in JSON, as browsers' libraries write it.
type binary64 []byte

// MarshalText implements encoding.TextMarshaler.
func (b binary64) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. It is strict: one text per value.
func (b *binary64) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	*b = raw
	return err
}

// Seal encrypts credentials, a JSON object, for the holder of the key, to be used at the place alone.
func Seal(to PublicKey, place Place, credentials []byte) (Sealed, error) {
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // never fails: crypto/rand
	info, err := place.info(to.ID(), nonce)
	if err != nil {
		return Sealed{}, err
	}
	enc, sender, err := hpke.NewSender(to.key, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	ciphertext, err := sender.Seal(nil, credentials)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	return Sealed{V: version, KeyID: to.ID(), Nonce: nonce, Enc: enc, Ciphertext: ciphertext}, nil
}

// Parse reads and bounds the JSON form. Its error is ErrMalformed or ErrVersion.
func Parse(raw []byte) (Sealed, error) {
	if len(raw) > MaxSealed {
		return Sealed{}, ErrMalformed
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var s Sealed
	if err := dec.Decode(&s); err != nil || dec.More() {
		return Sealed{}, ErrMalformed
	}
	switch {
	case s.V != version:
		return Sealed{}, ErrVersion
	case len(s.Nonce) != nonceSize, len(s.Enc) != encSize, len(s.Ciphertext) < 16, len(s.KeyID) != 16:
		return Sealed{}, ErrMalformed
	}
	return s, nil
}

// Open gives the credentials that were sealed to the key for the place. Its error is one of the package's.
func (k PrivateKey) Open(s Sealed, place Place) ([]byte, error) {
	if s.KeyID != k.Public().ID() {
		return nil, ErrOtherKey
	}
	info, err := place.info(s.KeyID, s.Nonce)
	if err != nil {
		return nil, ErrMalformed
	}
	recipient, err := hpke.NewRecipient(s.Enc, k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
	if err != nil {
		return nil, ErrMalformed
	}
	plain, err := recipient.Open(nil, s.Ciphertext)
	if err != nil {
		return nil, ErrBroken
	}
	return plain, nil
}

// info is HPKE's context of use; the package comment gives its form.
func (p Place) info(keyID string, nonce []byte) ([]byte, error) {
	settings := p.Settings
	if len(settings) == 0 {
		settings = json.RawMessage("{}")
	}
	canonical, err := Canonical(settings)
	if err != nil {
		return nil, fmt.Errorf("canonical settings: %w", err)
	}
	digest := sha256.Sum256(canonical)
	info := []byte(label)
	for _, part := range [][]byte{[]byte(p.Organisation), []byte(p.Site), []byte(p.System), []byte(keyID), nonce, digest[:]} {
		info = binary.BigEndian.AppendUint32(info, uint32(len(part)))
		info = append(info, part...)
	}
	return info, nil
}
