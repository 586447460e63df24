package vault

import (
	"bytes"
	"testing"
)

func TestDPAPIOpensWhatItSealed(t *testing.T) {
	key := bytes.Repeat([]byte{7}, keySize)
	wrapped, err := wrapKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(wrapped, key) {
		t.Fatal("the file shows the key")
	}
	got, err := unwrapKey(wrapped)
	if err != nil || !bytes.Equal(got, key) {
		t.Fatalf("got %x, %v", got, err)
	}
	for name, damaged := range map[string][]byte{"empty": nil, "cut": wrapped[:len(wrapped)/2], "changed": append(bytes.Clone(wrapped[:len(wrapped)-1]), wrapped[len(wrapped)-1]^1)} {
		if got, err := unwrapKey(damaged); err == nil && bytes.Equal(got, key) {
			t.Errorf("%s: it opens", name)
		}
	}
}
