package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/connectors/wire"
	"gantry/relay/status"
	"gantry/relay/store"
)

// connection is a connection as the API shows it.
type connection struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	System    string       `json:"system"`
	Site      string       `json:"site"`
	Agent     string       `json:"agent"`
	State     status.State `json:"state"`
	CreatedAt time.Time    `json:"created_at,omitzero"`
}

// path is where the API has a connection.
func (c connection) path() string { return "/connections/" + url.PathEscape(c.ID) }

// connectionStatusDocument is the --json form of `connections status`: the API's, with the connection.
type connectionStatusDocument struct {
	Schema     int        `json:"schema"`
	Connection connection `json:"connection"`
	status.ConnectionStatus
}

// event is an event of a connection's log as the API shows it.
type event struct {
	ID           string          `json:"id"`
	At           time.Time       `json:"at"`
	Level        string          `json:"level"`
	Kind         string          `json:"kind"`
	ConnectionID string          `json:"connection_id,omitempty"`
	AgentID      string          `json:"agent_id,omitempty"`
	Entity       string          `json:"entity,omitempty"`
	Operation    string          `json:"operation,omitempty"`
	Code         string          `json:"code,omitempty"`
	RequestID    string          `json:"request_id,omitempty"`
	Message      string          `json:"message"`
	Data         json.RawMessage `json:"data,omitempty"`
}

func (e event) line() string {
	said := []string{e.At.Local().Format(time.DateTime), fmt.Sprintf("%-7s", e.Level), fmt.Sprintf("%-26s", e.Kind)}
	for _, part := range []string{e.Code, strings.TrimSpace(e.Operation + " " + e.Entity), e.RequestID} {
		if part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(append(said, e.Message), "  ")
}

func (a *app) connections() *cobra.Command {
	var org string
	group := cli.Group("connections", "Show how connections are, which hop is broken, and change their life",
		a.connectionsList(&org), a.connectionsStatus(&org), a.connectionsEvents(&org), a.connectionsDiagnose(&org),
		a.connectionsPause(&org), a.connectionsResume(&org), a.connectionsRelink(&org), a.connectionsToken(&org),
		a.connectionsDisconnect(&org), a.connectionsReconnect(&org))
	a.ofOrg(group, &org)
	return group
}

func (a *app) connectionsList(org *string) *cobra.Command {
	var at, state string
	cmd := &cobra.Command{
		Use: "list", Short: "List the connections, each with its state now", Args: cli.Args(cobra.NoArgs),
		Example: `  gantry-relay connections list --state agent_offline`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				query := url.Values{}
				if at != "" {
					s, err := r.site(ctx, at)
					if err != nil {
						return err
					}
					query.Set("site", s.ID)
				}
				if state != "" {
					query.Set("state", state)
				}
				all, err := every[connection](ctx, r, "/connections", query)
				if err != nil {
					return err
				}
				rows := make([][]string, len(all))
				for i, c := range all {
					rows[i] = []string{c.Name, c.System, string(c.State), c.ID}
				}
				a.AnswerTable(list[connection]{schema, all}, "No connections.", []string{"NAME", "SYSTEM", "STATE", "ID"}, rows)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&at, "site", "", "only those of this site, by its id or its name")
	cmd.Flags().StringVar(&state, "state", "", "only those in this state: "+words(status.States()))
	return cmd
}

// words lists what a flag can be.
func words[T ~string](values []T) string {
	var all []string
	for _, v := range values {
		all = append(all, string(v))
	}
	return strings.Join(all, ", ")
}

func (a *app) connectionsStatus(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "status CONNECTION", Short: "Say how a connection is, and why", Args: cli.Args(cobra.ExactArgs(1)),
		Long: `Say how a connection is, by its id or its name: in a sentence, with what it rests on, and with the operations that do
not work; with -v all that are known.`,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				c, err := r.connection(ctx, given[0])
				if err != nil {
					return err
				}
				now, err := call[status.ConnectionStatus](ctx, r, http.MethodGet, c.path()+"/status", nil)
				if err != nil {
					return err
				}
				if a.JSON {
					a.PrintJSON(connectionStatusDocument{schema, c, now})
					return nil
				}
				a.tellConnection(c, now)
				return nil
			})
		},
	}
}

// tellConnection prints the sentence, what it rests on, and the operations.
func (a *app) tellConnection(c connection, now status.ConnectionStatus) {
	a.Print("%s\n", now.Message)
	rows := [][]string{
		{"Connection", fmt.Sprintf("%s (%s), %s", c.ID, c.Name, c.System)},
		{"State", string(now.State) + since(now.Since) + ", affects " + strings.ReplaceAll(string(now.Affects), "_", " ")},
		{"Agent", now.Agent.State + roundTrip(now.Agent.RoundTripMS) + at(", last seen ", now.Agent.LastSeenAt)},
		{"System", string(now.System.State) + since(now.System.Since) + at(", looked at ", now.System.CheckedAt) + at(", next ", now.System.NextProbeAt)},
	}
	if now.Circuit.State != wire.CircuitClosed {
		rows = append(rows, []string{"Circuit", string(now.Circuit.State) + since(now.Circuit.Since) + at(", next try ", now.Circuit.RetryAt)})
	}
	if now.ThrottledUntil != nil {
		rows = append(rows, []string{"Throttled", at("until ", now.ThrottledUntil)})
	}
	if now.QuietUntil != nil {
		rows = append(rows, []string{"Quiet hours", at("until ", now.QuietUntil)})
	}
	a.Rows("", rows)
	if cells := a.cells(now); len(cells) > 0 {
		a.Print("")
		a.Table([]string{"ENTITY", "OPERATION", "STATE", "SINCE", "LAST WORKED", "ERROR", "REQUEST", "NEXT LOOK"}, cells)
	}
}

// cells are the rows of operations: those that do not work, and with -v all.
func (a *app) cells(now status.ConnectionStatus) [][]string {
	var rows [][]string
	for entity, operations := range now.Entities {
		for name, o := range operations {
			if o.State == wire.OperationWorking && !a.Verbose {
				continue
			}
			row := []string{entity, name, string(o.State), at("", o.Since), at("", o.LastSuccessAt), "", "", at("", o.NextProbeAt)}
			if e := o.LastError; e != nil && o.State != wire.OperationWorking {
				row[5] = e.Code
				if e.RequestID != nil {
					row[6] = *e.RequestID
				}
			}
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, slices.Compare)
	return rows
}

func since(t *time.Time) string { return at(" since ", t) }

// at writes a time behind a word; nothing where there is none.
func at(word string, t *time.Time) string {
	if t == nil {
		return ""
	}
	return word + t.Local().Format(time.DateTime)
}

func roundTrip(ms *float64) string {
	if ms == nil {
		return ""
	}
	return fmt.Sprintf(", %.1f ms away", *ms)
}

func (a *app) connectionsEvents(org *string) *cobra.Command {
	var n int
	var follow bool
	filter := map[string]*string{"level": new(string), "entity": new(string), "kind": new(string), "request": new(string)}
	cmd := &cobra.Command{
		Use: "events CONNECTION", Short: "Show what happened to a connection", Args: cli.Args(cobra.ExactArgs(1)),
		Long: `Show the newest events of a connection, by its id or its name: calls that failed, states that changed, breakers that
moved, syncs, its agent's coming and going. With -f it goes on until Ctrl-C; then --json is one document a line.`,
		Example: `  gantry-relay connections events "ERP North" --level error -f`,
		RunE: func(cmd *cobra.Command, given []string) error {
			ctx, stop := cli.UntilSignal(cmd.Context(), nil)
			defer stop()
			query := url.Values{}
			for name, value := range filter {
				if name == "request" {
					name = "request_id"
				}
				if *value != "" {
					query.Set(name, *value)
				}
			}
			return a.onRemote(ctx, *org, func(r remote) error {
				c, err := r.connection(ctx, given[0])
				if err != nil {
					return err
				}
				return a.tellEvents(ctx, r, c, query, n, follow)
			})
		},
	}
	cmd.Flags().IntVarP(&n, "lines", "n", 20, "how many of the newest events, at most 500")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new events until Ctrl-C")
	cmd.Flags().StringVar(filter["level"], "level", "", "only this level, and what matters more: "+words(store.Levels()))
	cmd.Flags().StringVar(filter["entity"], "entity", "", "only this entity")
	cmd.Flags().StringVar(filter["kind"], "kind", "", "only this kind, or the kinds of a first word: sync.failed, sync")
	cmd.Flags().StringVar(filter["request"], "request", "", "only the call with this request id")
	return cmd
}

// tellEvents prints the newest events, and goes on if it should.
func (a *app) tellEvents(ctx context.Context, r remote, c connection, query url.Values, n int, follow bool) error {
	last := url.Values{"last": {fmt.Sprint(n)}}
	var newest []event // of all: from there it goes on
	var err error
	if follow {
		if newest, err = r.events(ctx, c, url.Values{"last": {"1"}}, nil); err != nil {
			return err
		}
	}
	all, err := r.events(ctx, c, query, last)
	if err != nil {
		return err
	}
	if !follow {
		lines := make([]string, len(all))
		for i, e := range all {
			lines[i] = e.line()
		}
		a.Answer(list[event]{schema, all}, lines...)
		return nil
	}
	return a.followEvents(ctx, r, c, query, append(newest, all...), all)
}

func (r remote) events(ctx context.Context, c connection, query, more url.Values) ([]event, error) {
	asked := url.Values{}
	for _, values := range []url.Values{query, more} {
		for name := range values {
			asked.Set(name, values.Get(name))
		}
	}
	page, err := call[list[event]](ctx, r, http.MethodGet, c.path()+"/events?"+asked.Encode(), nil)
	return append([]event{}, page.Data...), err
}

// followEvents prints events as they come, behind the last one that was seen.
func (a *app) followEvents(ctx context.Context, r remote, c connection, query url.Values, seen, all []event) error {
	ticker := time.NewTicker(tailEvery)
	defer ticker.Stop()
	last := ""
	for {
		for _, e := range append(seen, all...) {
			last = max(last, e.ID)
		}
		for _, e := range all {
			if !a.JSON {
				a.Print("%s", e.line())
			} else if line, err := json.Marshal(e); err == nil {
				a.Print("%s", line)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		more := url.Values{}
		if last != "" {
			more.Set("after", last)
		}
		var err error
		if all, err = r.events(ctx, c, query, more); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// connection finds one by its id, or by its name where that is of one alone.
func (r remote) connection(ctx context.Context, named string) (connection, error) {
	if strings.HasPrefix(named, string(store.ConnectionID)+"_") {
		return call[connection](ctx, r, http.MethodGet, "/connections/"+url.PathEscape(named), nil)
	}
	all, err := every[connection](ctx, r, "/connections", nil)
	if err != nil {
		return connection{}, err
	}
	found := slices.DeleteFunc(all, func(c connection) bool { return c.Name != named })
	if live := slices.DeleteFunc(slices.Clone(found), func(c connection) bool { return c.State == status.Disconnected }); len(live) > 0 {
		found = live
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return connection{}, cli.Fail(cli.ExitFailed, "See: gantry-relay connections list", "there is no connection %q", named)
	}
	return connection{}, cli.Fail(cli.ExitUsage, "Name one by its id; see: gantry-relay connections list", "%s have the name %q",
		cli.Count(len(found), "connection", "connections"), named)
}
