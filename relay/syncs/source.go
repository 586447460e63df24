package syncs

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/relay/records"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// Source reads a connection's records at its plant. Its errors are *fault.Error, or that of the context.
type Source interface {
	Capabilities(ctx context.Context, c store.Connection) (wire.Capabilities, error)
	// List reads one page, with the parameters of the API's own lists.
	List(ctx context.Context, c store.Connection, entity string, query url.Values) (Page, error)
	// Get reads one record; NOT_FOUND where the source has none of the id.
	Get(ctx context.Context, c store.Connection, entity, id string) (records.Record, error)
}

// Page is one page of a list.
type Page struct {
	Records []records.Record
	Next    string // the cursor of the next page; empty: there is none
}

// maxAnswer bounds what an agent answers at once, in bytes. Its own bound is half of that.
const maxAnswer = 32 << 20

// Agents is the Source of a relay: the agents, through their tunnels.
type Agents struct {
	Hub     *hub.Hub
	Timeout time.Duration // of one call
}

var _ Source = (*Agents)(nil)

// Capabilities implements Source.
func (a *Agents) Capabilities(ctx context.Context, c store.Connection) (wire.Capabilities, error) {
	var answer wire.Capabilities
	body, err := a.read(ctx, c, wire.ConnectionPath(c.ID)+"/capabilities", nil)
	if err == nil {
		err = decode(body, &answer)
	}
	return answer, err
}

// List implements Source.
func (a *Agents) List(ctx context.Context, c store.Connection, entity string, query url.Values) (Page, error) {
	body, err := a.read(ctx, c, wire.RecordPath(c.ID, entity, "", ""), query)
	if err != nil {
		return Page{}, err
	}
	return readPage(body)
}

// readPage reads the answer to a list. A page that promises more without saying where is no page.
func readPage(body []byte) (Page, error) {
	var answer struct {
		Data []json.RawMessage `json:"data"`
		Next *string           `json:"next_cursor"`
		More bool              `json:"has_more"`
	}
	if err := decode(body, &answer); err != nil {
		return Page{}, err
	}
	var page Page
	if answer.More {
		if answer.Next == nil || *answer.Next == "" {
			return Page{}, strange(errors.New("a page has more, and no cursor"))
		}
		page.Next = *answer.Next
	}
	for _, raw := range answer.Data {
		record, err := records.Parse(raw)
		if err != nil {
			return Page{}, strange(err)
		}
		page.Records = append(page.Records, record)
	}
	return page, nil
}

// Get implements Source.
func (a *Agents) Get(ctx context.Context, c store.Connection, entity, id string) (records.Record, error) {
	body, err := a.read(ctx, c, wire.RecordPath(c.ID, entity, id, ""), nil)
	if err != nil {
		return records.Record{}, err
	}
	record, err := records.Parse(body)
	if err == nil && record.ID != id {
		err = fmt.Errorf("asked for %q it gives %q", id, record.ID)
	}
	if err != nil {
		return records.Record{}, strange(err)
	}
	return record, nil
}

// agentMargin is by how much the agent's time is shorter than the relay's, so that it is the agent that reports a timeout.
const agentMargin = 250 * time.Millisecond

// read makes one call and gives its whole answer.
func (a *Agents) read(ctx context.Context, c store.Connection, path string, query url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, a.Timeout, fault.New(fault.SystemTimeout, "No answer came from the agent within the call's time.").At(fault.HopTunnel))
	defer cancel()
	request := "req_" + rand.Text()
	body, err := a.call(ctx, c, request, path, query)
	if err == nil {
		return body, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	f := fault.From(err, fault.HopTunnel).Clone()
	f.RequestID, f.ConnectionID, f.AgentID, f.Outcome = request, c.ID, c.AgentID, ""
	return nil, f
}

func (a *Agents) call(ctx context.Context, c store.Connection, request, path string, query url.Values) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent"+path, nil)
	if err != nil {
		return nil, err
	}
	r.URL.RawQuery = query.Encode()
	r.Header.Set(wire.HeaderRequestID, request)
	r.Header.Set("User-Agent", "") // net/http would add its own
	wire.SetBudget(r.Header, a.Timeout-agentMargin)
	response, err := a.Hub.Do(c.AgentID, hub.Bulk, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // nothing is left to learn from it
	if response.StatusCode >= http.StatusBadRequest {
		return nil, hub.Claim(response.Body, false)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, a.Hub.Classify(err)
	case len(body) > maxAnswer:
		return nil, strange(fmt.Errorf("an answer of more than %d bytes", maxAnswer))
	}
	return body, nil
}

func decode(body []byte, into any) error {
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		return strange(err)
	}
	return nil
}

// strange is an answer that the protocol does not know.
func strange(cause error) *fault.Error {
	return fault.New(fault.Internal, "The agent's answer breaks the protocol.").At(fault.HopAgent).Because(cause)
}
