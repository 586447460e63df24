package store

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// Prefix says what an id names.
type Prefix string

// The prefixes.
const (
	OrganisationID Prefix = "org"
	KeyID          Prefix = "key"
	SiteID         Prefix = "site"
	EnrolmentID    Prefix = "enr"
	AgentID        Prefix = "agt"
	ConnectionID   Prefix = "con"
	TokenID        Prefix = "tok"
	EventID        Prefix = "evt"
	WebhookID      Prefix = "whk"
)

// crockford is the alphabet of ULIDs: its order is that of the bytes, and it has no I, L, O or U.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// NewID makes an id such as con_01HV3K5…: a prefix, then 48 bits of Unix milliseconds and 80 random bits. Ids that are
// made in different milliseconds sort by age.
func NewID(prefix Prefix, now time.Time) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(now.UnixMilli())<<16)
	_, _ = rand.Read(raw[6:]) // never fails (crypto/rand)
	return string(prefix) + "_" + crockford.EncodeToString(raw[:])
}

// NextID makes an id that sorts after another of its prefix, also within a millisecond and when the clock was set back.
// An empty one is before all.
func NextID(prefix Prefix, now time.Time, after string) string {
	id := NewID(prefix, now)
	if id > after {
		return id
	}
	raw, err := crockford.DecodeString(strings.TrimPrefix(after, string(prefix)+"_"))
	if err != nil { // not one of ours: nothing can follow it
		return id
	}
	for i := len(raw) - 1; i >= 0; i-- {
		if raw[i]++; raw[i] != 0 {
			break
		}
	}
	return string(prefix) + "_" + crockford.EncodeToString(raw)
}
