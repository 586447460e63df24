package webhooks

import (
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"gantry/connectors"
)

// TestSignatureIsTheSpecifications has the specification's own library verify what we sign.
func TestSignatureIsTheSpecifications(t *testing.T) {
	current, former := NewSecret(), NewSecret()
	for name, secrets := range map[string][]connectors.Secret{
		"one secret":        {current, {}},
		"after a rotation":  {NewSecret(), current},
		"before a rotation": {current, former},
	} {
		t.Run(name, func(t *testing.T) {
			header, body := http.Header{}, []byte(`{"type":"sync.failed","data":{"ü":"."}}`)
			if err := sign(header, "evt_1", time.Now(), body, secrets...); err != nil {
				t.Fatal(err)
			}
			verifier, err := standardwebhooks.NewWebhook(current.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if err := verifier.Verify(body, header); err != nil {
				t.Error(err)
			}
			if err := verifier.Verify(append(body, ' '), header); err == nil {
				t.Error("another body is verified")
			}
		})
	}
}

func TestDamagedSecretIsAnError(t *testing.T) {
	err := sign(http.Header{}, "evt_1", time.Now(), nil, connectors.NewSecret("whsec_~~~"))
	if err == nil || strings.Contains(err.Error(), "~~~") {
		t.Errorf("got %v", err)
	}
}
