package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Bounds of a bundle on the channel, in bytes: what the command line adds, and the archive.
const (
	maxContents = 16 << 20
	maxArchive  = 64 << 20
)

// BundleRequest asks for a bundle.
type BundleRequest struct {
	Anonymize bool            `json:"anonymize,omitempty"`
	Contents  json.RawMessage `json:"contents,omitempty"` // a bundle.Contents: what only an administrator can see
}

// serveBundle answers with an archive once it is proved, else with the reason.
func serveBundle(source Source) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var asked BundleRequest
		if err := json.NewDecoder(io.LimitReader(r.Body, maxContents)).Decode(&asked); err != nil {
			answer(w, nil, fmt.Errorf("read the request: %w", err))
			return
		}
		var archive bytes.Buffer
		if err := source.Bundle(r.Context(), &archive, asked); err != nil {
			answer(w, nil, err)
			return
		}
		w.Header().Set("Content-Type", "application/zip")
		_, _ = w.Write(archive.Bytes()) // the asker may be gone: there is nobody left to tell
	}
}

// Bundle asks for the archive that the running agent makes.
func (c *Client) Bundle(ctx context.Context, asked BundleRequest) ([]byte, error) {
	content, err := json.Marshal(asked)
	if err != nil {
		return nil, fmt.Errorf("ask agent: %w", err)
	}
	if len(content) > maxContents {
		return nil, errors.New("ask agent: what the command line adds to the bundle is too large")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://agent/bundle", bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("ask agent: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask agent: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, refused(response.StatusCode, io.LimitReader(response.Body, maxAnswer))
	}
	archive, err := io.ReadAll(io.LimitReader(response.Body, maxArchive))
	if err != nil {
		return nil, fmt.Errorf("read the agent's bundle: %w", err)
	}
	return archive, nil
}
