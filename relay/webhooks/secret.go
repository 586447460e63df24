package webhooks

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"
)

// The headers of the specification.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

// secretPrefix begins a secret's text; what follows is base64.
const secretPrefix = "whsec_"

// NewSecret makes the secret of a webhook.
func NewSecret() connectors.Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return connectors.NewSecret(secretPrefix + base64.StdEncoding.EncodeToString(key))
}

// sign sets the headers that prove where a message comes from: a signature by each secret, of which an empty one is none.
// The time is that of the attempt, so that receivers can refuse old ones.
func sign(header http.Header, id string, now time.Time, body []byte, secrets ...connectors.Secret) error {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	var signatures []string
	for _, secret := range secrets {
		if secret.Reveal() == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), secretPrefix))
		if err != nil {
			return fmt.Errorf("the webhook's secret is damaged: %w", err)
		}
		mac := hmac.New(sha256.New, key)
		_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body) // a hash takes everything
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	header.Set(headerID, id)
	header.Set(headerTimestamp, timestamp)
	header.Set(headerSignature, strings.Join(signatures, " "))
	return nil
}
