package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/tunnel/check"
)

// diagnosis is what POST /connections/{id}/diagnose answers.
type diagnosis struct {
	Schema     int          `json:"schema"`
	Connection string       `json:"connection_id"`
	Agent      string       `json:"agent_id"`
	Status     check.Status `json:"status"`
	BrokenAt   *string      `json:"broken_at"` // the first hop that failed
	MS         int64        `json:"ms"`
	Hops       []hop        `json:"hops"`
}

// hop is one step of the way.
type hop struct {
	Hop    string       `json:"hop"`
	OK     *bool        `json:"ok"` // null: it could not be looked at
	Status check.Status `json:"status"`
	MS     int64        `json:"ms"`
	Detail string       `json:"detail"`
	Advice string       `json:"advice,omitempty"`
	For    check.Team   `json:"for,omitempty"`
	ID     string       `json:"id,omitempty"`
	Entity string       `json:"entity,omitempty"`
}

// report shows the hops as the doctors show their checks.
func (d diagnosis) report() check.Report {
	r := check.Report{Schema: check.Schema, Program: "gantry-relay", Status: d.Status, MS: d.MS}
	for _, h := range d.Hops {
		one := check.Result{
			Check: h.Hop, Group: "hops", Title: h.Hop, Status: h.Status, ID: h.ID, Entity: h.Entity, MS: h.MS,
			Evidence: []string{h.Detail}, Fix: h.Advice, For: h.For,
		}
		if h.Entity != "" {
			one.Title += " " + h.Entity
		}
		if h.Status == check.Skipped {
			one.Cause, one.Evidence = h.Detail, nil
		}
		if f, known := check.Lookup(h.ID); known {
			one.Finding = f.Title
			one.Evidence = []string{strings.TrimPrefix(h.Detail, f.Title+": ")}
		}
		r.Results = append(r.Results, one)
	}
	return r
}

func (a *app) connectionsDiagnose(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "diagnose CONNECTION", Short: "Find the hop at which a connection's calls break", Args: cli.Args(cobra.ExactArgs(1)),
		Long: `Look along the way of a connection's calls, hop by hop: relay, tunnel, agent, policy, dns, tcp, tls, login, and a read of
each entity. It makes only calls that the connection may make anyway, and needs no consent. The exit code is 1 where a hop
is broken.`,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.patiently(cmd, *org, diagnosisTime, func(ctx context.Context, r remote) error {
				c, err := r.connection(ctx, given[0])
				if err != nil {
					return err
				}
				found, err := call[diagnosis](ctx, r, http.MethodPost, c.path()+"/diagnose", nil)
				if err != nil {
					return err
				}
				if !a.JSON {
					return a.tellReport(found.report(), false)
				}
				a.PrintJSON(found)
				if found.Status == check.Failed {
					return cli.Told(cli.ExitFailed)
				}
				return nil
			})
		},
	}
}
