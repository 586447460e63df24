// Package seal encrypts the login of a connection to the agent that will use it, so that whoever carries it, the relay
// first of all, can neither read it nor use it elsewhere.
//
// It is HPKE (RFC 9180) in base mode, with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM: what every browser's
// WebCrypto can do. The plaintext is the JSON object of the credentials. `info` binds the place where they may be used:
//
//	"gantry sealed credentials v1"
//	for each of organisation, site, system, key id, nonce, SHA-256 of the canonical settings:
//	    its length, 4 bytes big endian, and its bytes
//
// The settings are canonical as RFC 8785 has it; a hostile carrier that sends another host name along with a sealed
// password makes Open fail. The nonce, 16 random bytes of the client, makes two sealings of one login differ in info
// too. testdata/vectors.json holds vectors for other implementations.
//
// The package never stores a key, and its errors never hold a plaintext.
package seal
