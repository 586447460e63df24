package wire

// Facts are what an agent tells of itself at enrolment and at the start of every session. They are shown, and nothing
// is decided by them.
type Facts struct {
	Version    string     `json:"version"`
	Hostname   string     `json:"hostname"`
	OS         string     `json:"os"`   // as runtime.GOOS
	Arch       string     `json:"arch"` // as runtime.GOARCH
	SealingKey SealingKey `json:"sealing_key,omitzero"`
}

// SealingKey is the public key to which clients seal credentials (package seal).
type SealingKey struct {
	ID          string `json:"id"`
	PublicKey   string `json:"public_key"`  // uncompressed P-256 point, base64url without padding
	Fingerprint string `json:"fingerprint"` // for people to compare
}
