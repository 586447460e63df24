package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"gantry/configs"
)

// ErrNotRunning is the answer when no agent serves the channel.
var ErrNotRunning = errors.New("the agent's service is not running")

// ErrNoAccess is the answer when this account may not ask the agent.
var ErrNoAccess = errors.New("only the agent's own account, or an administrator, may ask it")

// maxAnswer bounds what the client reads, in bytes.
const maxAnswer = 8 << 20

// Client asks the agent that runs with a state folder. Its methods fail with ErrNotRunning, ErrNoAccess, the context's
// error, or what the agent said; of a faulty configuration that is *configs.Problems.
type Client struct{ http http.Client }

// NewClient makes a client; it connects on each call.
func NewClient(stateDir string) *Client {
	return &Client{http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, socket(stateDir))
		},
	}}}
}

// Status asks for the agent's state.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, http.MethodGet, "/status")
}

// Connections asks for the logins that the agent holds.
func (c *Client) Connections(ctx context.Context) ([]Connection, error) {
	return ask[[]Connection](ctx, c, http.MethodGet, "/connections")
}

// Writes asks for the writes whose outcome is unknown.
func (c *Client) Writes(ctx context.Context) ([]Write, error) {
	return ask[[]Write](ctx, c, http.MethodGet, "/writes")
}

// ResolveWrite tells what became of one of them.
func (c *Client) ResolveWrite(ctx context.Context, id string, happened bool) (Write, error) {
	return ask[Write](ctx, c, http.MethodPost, fmt.Sprintf("/writes/%s/resolve?happened=%t", url.PathEscape(id), happened))
}

// Reload makes the agent read its configuration again.
func (c *Client) Reload(ctx context.Context) (Reloaded, error) {
	return ask[Reloaded](ctx, c, http.MethodPost, "/reload")
}

func ask[T any](ctx context.Context, c *Client, method, path string) (T, error) {
	var answer T
	request, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, nil)
	if err != nil {
		return answer, fmt.Errorf("ask agent: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer, fmt.Errorf("ask agent: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body := io.LimitReader(response.Body, maxAnswer)
	if response.StatusCode != http.StatusOK {
		return answer, refused(response.StatusCode, body)
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return answer, fmt.Errorf("read agent's answer: %w", err)
	}
	return answer, nil
}

// refused reads why the agent could not.
func refused(status int, body io.Reader) error {
	var r refusal
	if err := json.NewDecoder(body).Decode(&r); err != nil {
		return fmt.Errorf("ask agent: it answered with status %d", status)
	}
	if len(r.Problems) > 0 {
		return &configs.Problems{List: r.Problems}
	}
	return fmt.Errorf("ask agent: %s", r.Message)
}
