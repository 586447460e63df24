package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"gantry/tunnel/check"
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
func NewClient(stateDir string) *Client { return newClient(socket(stateDir)) }

// NewStatusClient makes a client of a service's second channel, on which Status alone is answered.
func NewStatusClient(runtimeDir string) *Client { return newClient(statusSocket(runtimeDir)) }

func newClient(path string) *Client {
	return &Client{http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, path)
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

// Diagnose makes the agent look at its way to the relay.
func (c *Client) Diagnose(ctx context.Context, deep bool) (check.Report, error) {
	return ask[check.Report](ctx, c, http.MethodPost, fmt.Sprintf("/diagnose?deep=%t", deep))
}

// CheckConnections has the agent look at the connection of an id or name; empty: at all.
func (c *Client) CheckConnections(ctx context.Context, idOrName string) (check.Report, error) {
	return ask[check.Report](ctx, c, http.MethodPost, "/connections/check?name="+url.QueryEscape(idOrName))
}

// Discover asks what the system of the connection of an id or name has beyond its definition; entity empty: of all.
func (c *Client) Discover(ctx context.Context, idOrName, entity string) (Discovered, error) {
	return ask[Discovered](ctx, c, http.MethodPost, "/connections/discover?"+url.Values{"name": {idOrName}, "entity": {entity}}.Encode())
}

// ResetCircuits closes the circuits of the connection of an id or name, and gives it as it is then.
func (c *Client) ResetCircuits(ctx context.Context, idOrName string) (Connection, error) {
	return ask[Connection](ctx, c, http.MethodPost, "/connections/reset?name="+url.QueryEscape(idOrName))
}

// Support asks whether support may come in, and what it did.
func (c *Client) Support(ctx context.Context) (Support, error) {
	return ask[Support](ctx, c, http.MethodGet, "/support")
}

// LetSupportIn lets support in for a time; 0: not any more.
func (c *Client) LetSupportIn(ctx context.Context, span time.Duration) (Support, error) {
	return ask[Support](ctx, c, http.MethodPost, "/support?for="+url.QueryEscape(span.String()))
}

// Reload makes the agent read its configuration again.
func (c *Client) Reload(ctx context.Context) (Reloaded, error) {
	return ask[Reloaded](ctx, c, http.MethodPost, "/reload")
}

// Enrol makes the agent enrol, with Source.Enrol's errors.
func (c *Client) Enrol(ctx context.Context, token string, force bool) (Enrolled, error) {
	return send[Enrolled](ctx, c, http.MethodPost, "/enrol", enrolment{token, force})
}

// Unenrol makes the agent forget who it is.
func (c *Client) Unenrol(ctx context.Context) error {
	_, err := ask[struct{}](ctx, c, http.MethodPost, "/unenrol")
	return err
}

func ask[T any](ctx context.Context, c *Client, method, path string) (T, error) {
	return send[T](ctx, c, method, path, nil)
}

func send[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var answer T
	content, err := json.Marshal(body)
	if err != nil {
		return answer, fmt.Errorf("ask agent: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, bytes.NewReader(content))
	if err != nil {
		return answer, fmt.Errorf("ask agent: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer, fmt.Errorf("ask agent: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	limited := io.LimitReader(response.Body, maxAnswer)
	if response.StatusCode != http.StatusOK {
		return answer, refused(response.StatusCode, limited)
	}
	if err := json.NewDecoder(limited).Decode(&answer); err != nil {
		return answer, fmt.Errorf("read agent's answer: %w", err)
	}
	return answer, nil
}
