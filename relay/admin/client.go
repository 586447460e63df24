package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"

	"gantry/tunnel/fault"
)

// Why nobody answers.
var (
	ErrNotRunning = errors.New("no relay is serving this data folder")
	ErrNoAccess   = errors.New("only the relay's own account, or root, may administer it")
)

// maxAnswer bounds what the client reads, in bytes.
const maxAnswer = 64 << 20

// Client asks the relay that serves a data folder. Beside Administration's errors its calls fail with ErrNotRunning or
// ErrNoAccess.
type Client struct{ http http.Client }

var _ Administration = (*Client)(nil)

// NewClient makes a client; it connects on each call.
func NewClient(dataDir string) *Client {
	return &Client{http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, socket(dataDir))
		},
	}}}
}

// dial tells apart why nobody answers.
func dial(ctx context.Context, path string) (net.Conn, error) {
	switch _, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotRunning
	case errors.Is(err, fs.ErrPermission):
		return nil, ErrNoAccess
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, ErrNoAccess
	case ctx.Err() != nil:
		return nil, err
	}
	return nil, ErrNotRunning // the socket of a relay that died
}

// Organisations implements Administration.
func (c *Client) Organisations(ctx context.Context) ([]Organisation, error) {
	return ask[[]Organisation](ctx, c, http.MethodGet, "/organisations", nil)
}

// CreateOrganisation implements Administration.
func (c *Client) CreateOrganisation(ctx context.Context, wish NewOrganisation) (Organisation, error) {
	return ask[Organisation](ctx, c, http.MethodPost, "/organisations", wish)
}

// SetCredits implements Administration.
func (c *Client) SetCredits(ctx context.Context, organisation string, credits int) (Organisation, error) {
	return ask[Organisation](ctx, c, http.MethodPut, "/organisations/"+url.PathEscape(organisation)+"/credits", credits)
}

// Keys implements Administration.
func (c *Client) Keys(ctx context.Context, organisation string) ([]Key, error) {
	return ask[[]Key](ctx, c, http.MethodGet, keysPath(organisation), nil)
}

// CreateKey implements Administration.
func (c *Client) CreateKey(ctx context.Context, organisation string, wish NewKey) (Key, error) {
	return ask[Key](ctx, c, http.MethodPost, keysPath(organisation), wish)
}

// RevokeKey implements Administration.
func (c *Client) RevokeKey(ctx context.Context, organisation, id string) (Key, error) {
	return ask[Key](ctx, c, http.MethodDelete, keysPath(organisation)+"/"+url.PathEscape(id), nil)
}

// Status asks how the relay is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, http.MethodGet, "/status", nil)
}

// SignInLink makes a link that signs in to the pages of an organisation, once.
func (c *Client) SignInLink(ctx context.Context, organisation string, wish NewSignInLink) (SignInLink, error) {
	return ask[SignInLink](ctx, c, http.MethodPost, "/organisations/"+url.PathEscape(organisation)+"/sign-in-links", wish)
}

// API makes a call of the API (path begins behind /api/v1) for an organisation. The caller closes the answer, whose status
// is below 400; the error is a *fault.Error where the API refuses.
func (c *Client) API(ctx context.Context, organisation, method, path string, wish any) (*http.Response, error) {
	var body io.Reader
	if wish != nil {
		document, err := json.Marshal(wish)
		if err != nil {
			return nil, fmt.Errorf("ask relay: %w", err)
		}
		body = bytes.NewReader(document)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://relay/api/v1"+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask relay: %w", err)
	}
	request.Header.Set(HeaderOrganisation, organisation)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask relay: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		defer response.Body.Close() //nolint:errcheck // it was only read
		return nil, refused(response.StatusCode, io.LimitReader(response.Body, maxAnswer))
	}
	return response, nil
}

func keysPath(organisation string) string {
	return "/organisations/" + url.PathEscape(organisation) + "/keys"
}

func ask[T any](ctx context.Context, c *Client, method, path string, wish any) (T, error) {
	var answer T
	document, err := json.Marshal(wish)
	if err != nil {
		return answer, fmt.Errorf("ask relay: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://relay"+path, bytes.NewReader(document))
	if err != nil {
		return answer, fmt.Errorf("ask relay: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer, fmt.Errorf("ask relay: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body := io.LimitReader(response.Body, maxAnswer)
	if response.StatusCode != http.StatusOK {
		return answer, refused(response.StatusCode, body)
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return answer, fmt.Errorf("read relay's answer: %w", err)
	}
	return answer, nil
}

// refused reads why the relay could not.
func refused(status int, body io.Reader) error {
	problem, err := fault.Decode(body)
	if err != nil {
		return fmt.Errorf("ask relay: it answered with status %d: %w", status, err)
	}
	return problem
}
