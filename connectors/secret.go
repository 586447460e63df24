package connectors

import (
	"encoding/json"
	"log/slog"
)

// Secret is a credential. It redacts itself wherever it might be printed; Reveal is the one way to its value.
type Secret struct{ value string }

// NewSecret wraps a credential.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal gives the credential itself. Whoever calls it answers for where the value goes.
func (s Secret) Reveal() string { return s.value }

const redacted = "[redacted]"

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer: %#v must not show it either.
func (Secret) GoString() string { return redacted }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON implements json.Marshaler.
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Secret) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &s.value) }

// UnmarshalText lets a Secret be read from configuration.
func (s *Secret) UnmarshalText(b []byte) error { s.value = string(b); return nil }
