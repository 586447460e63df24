package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
)

// auditEntry is an entry of the audit as the API shows it.
type auditEntry struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Actor struct {
		ID   string `json:"id,omitempty"`
		Name string `json:"name"`
		Role string `json:"role"`
	} `json:"actor"`
	Action       string `json:"action"`
	Target       string `json:"target"`
	SiteID       string `json:"site_id,omitempty"`
	AgentID      string `json:"agent_id,omitempty"`
	ConnectionID string `json:"connection_id,omitempty"`
	RequestID    string `json:"request_id"`
	Result       string `json:"result"`
}

func (e auditEntry) line() string {
	return fmt.Sprintf("%s  %-22s %-14s %s  by %s %s", e.At.Local().Format(time.DateTime), e.Action, e.Result, e.Target, e.Actor.Name, e.Actor.ID)
}

func (a *app) audit() *cobra.Command {
	var org string
	group := cli.Group("audit", "Show who changed what, and what support ran", a.auditTail(&org))
	a.ofOrg(group, &org)
	return group
}

// tailEvery is how often a follower looks for new entries.
const tailEvery = time.Second

func (a *app) auditTail(org *string) *cobra.Command {
	var n int
	var follow bool
	cmd := &cobra.Command{
		Use: "tail", Short: "Show the last entries", Args: cli.Args(cobra.NoArgs),
		Long: "Show the last entries of an organisation's audit. With -f it goes on until Ctrl-C; then --json is one document a line.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := cli.UntilSignal(cmd.Context(), nil)
			defer stop()
			return a.onRemote(ctx, *org, func(r remote) error {
				all, err := r.audited(ctx, fmt.Sprintf("?last=%d", n))
				if err != nil {
					return err
				}
				if !follow {
					lines := make([]string, len(all))
					for i, e := range all {
						lines[i] = e.line()
					}
					a.Answer(list[auditEntry]{schema, all}, lines...)
					return nil
				}
				return a.followAudit(ctx, r, all)
			})
		},
	}
	cmd.Flags().IntVarP(&n, "lines", "n", 20, "how many of the last entries, at most 500")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new entries until Ctrl-C")
	return cmd
}

func (r remote) audited(ctx context.Context, query string) ([]auditEntry, error) {
	page, err := call[list[auditEntry]](ctx, r, http.MethodGet, "/audit"+query, nil)
	return append([]auditEntry{}, page.Data...), err
}

// followAudit prints entries as they come. The audit has no gap, so that the last id is all that has to be known.
func (a *app) followAudit(ctx context.Context, r remote, all []auditEntry) error {
	ticker := time.NewTicker(tailEvery)
	defer ticker.Stop()
	last := ""
	for {
		for _, e := range all {
			last = e.ID
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
		var err error
		if all, err = r.audited(ctx, "?after="+url.QueryEscape(last)); err != nil && ctx.Err() == nil {
			return err
		}
	}
}
