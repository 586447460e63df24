package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/relay/store"
)

// webhook is a webhook as the API shows it.
type webhook struct {
	ID            string     `json:"id"`
	URL           string     `json:"url"`
	Description   string     `json:"description"`
	Events        []string   `json:"events"`
	State         string     `json:"state"`
	Reason        string     `json:"reason,omitempty"`
	FailingSince  *time.Time `json:"failing_since"`
	RetriesAt     *time.Time `json:"retries_at"`
	LastSuccessAt *time.Time `json:"last_success_at"`
	LastError     string     `json:"last_error,omitempty"`
}

// health says in a few words how a webhook is.
func (w webhook) health() string {
	switch {
	case w.Reason != "":
		return w.Reason
	case w.FailingSince != nil:
		return "fails" + since(w.FailingSince) + ": " + w.LastError
	case w.LastSuccessAt != nil:
		return at("worked ", w.LastSuccessAt)
	}
	return "not used yet"
}

// delivery is a message to a webhook as the API shows it.
type delivery struct {
	ID             string     `json:"id"`
	Type           string     `json:"type"`
	Subject        string     `json:"subject"`
	State          string     `json:"state"`
	CreatedAt      time.Time  `json:"created_at"`
	Attempts       int        `json:"attempts"`
	NextAttemptAt  *time.Time `json:"next_attempt_at"`
	LastAttemptAt  *time.Time `json:"last_attempt_at"`
	ResponseStatus *int       `json:"response_status"`
	Error          string     `json:"error,omitempty"`
}

// deliveryDocument is the --json form of `webhooks resend`.
type deliveryDocument struct {
	Schema int `json:"schema"`
	delivery
}

func (a *app) webhooks() *cobra.Command {
	var org string
	group := cli.Group("webhooks", "Show where organisations are told of what happens, and send again what failed",
		a.webhooksList(&org), a.webhooksDeliveries(&org), a.webhooksResend(&org))
	a.ofOrg(group, &org)
	return group
}

func (a *app) webhooksList(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the webhooks, and how each is", Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				all, err := every[webhook](ctx, r, "/webhooks", nil)
				if err != nil {
					return err
				}
				rows := make([][]string, len(all))
				for i, w := range all {
					rows[i] = []string{w.ID, w.State, strings.Join(w.Events, " "), w.URL, w.health()}
				}
				a.AnswerTable(list[webhook]{schema, all}, "No webhooks.", []string{"ID", "STATE", "EVENTS", "URL", "HEALTH"}, rows)
				return nil
			})
		},
	}
}

func (a *app) webhooksDeliveries(org *string) *cobra.Command {
	var state string
	var lines int
	cmd := &cobra.Command{
		Use: "deliveries WEBHOOK", Short: "List the newest messages to a webhook", Args: cli.Args(cobra.ExactArgs(1)),
		Example: `  gantry-relay webhooks deliveries whk_… --state failed`,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				query := url.Values{"limit": {strconv.Itoa(lines)}}
				if state != "" {
					query.Set("state", state)
				}
				page, err := call[struct {
					Data []delivery `json:"data"`
				}](ctx, r, http.MethodGet, "/webhooks/"+url.PathEscape(given[0])+"/deliveries?"+query.Encode(), nil)
				if err != nil {
					return err
				}
				rows := make([][]string, len(page.Data))
				for i, d := range page.Data {
					rows[i] = []string{d.CreatedAt.Local().Format(time.DateTime), d.State, strconv.Itoa(d.Attempts), d.Type, d.ID, d.Error}
				}
				a.AnswerTable(list[delivery]{schema, page.Data}, "No deliveries.", []string{"CREATED", "STATE", "ATTEMPTS", "TYPE", "ID", "ERROR"}, rows)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only those in this state: "+words(store.DeliveryStates()))
	cmd.Flags().IntVarP(&lines, "lines", "n", 50, "how many, up to 500")
	return cmd
}

func (a *app) webhooksResend(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "resend WEBHOOK DELIVERY", Short: "Send a message again", Args: cli.Args(cobra.ExactArgs(2)),
		Long: "Send a message again, whatever became of it, with the same id and for another day if need be.",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				path := "/webhooks/" + url.PathEscape(given[0]) + "/deliveries/" + url.PathEscape(given[1]) + "/resend"
				again, err := call[delivery](ctx, r, http.MethodPost, path, nil)
				if err != nil {
					return err
				}
				a.Answer(deliveryDocument{schema, again}, again.ID+" is sent again.")
				return nil
			})
		},
	}
}
