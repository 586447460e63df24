package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
)

// lifeDocument is the --json form of what changed a connection's life. The token is there where a new one was made, and
// shown only now.
type lifeDocument struct {
	Schema     int        `json:"schema"`
	Connection connection `json:"connection"`
	Token      string     `json:"token,omitempty"`
}

// maxLogin bounds the document of a login, in bytes.
const maxLogin = 256 << 10

func (a *app) connectionsPause(org *string) *cobra.Command {
	return a.changesConnection(org, "pause", "Keep a connection, and make no call", "%s is paused: its system is not asked any more.", "")
}

func (a *app) connectionsResume(org *string) *cobra.Command {
	return a.changesConnection(org, "resume", "End a connection's pause", "%s goes on.", "")
}

func (a *app) connectionsDisconnect(org *string) *cobra.Command {
	return a.changesConnection(org, "disconnect", "End a connection for good: its token, and its login at the plant", "%s is disconnected.",
		"The token of %s is dead at once and its login is erased at the plant, for ever.")
}

// changesConnection is a command that changes a connection's life by a call without a body.
func (a *app) changesConnection(org *string, verb, short, done, question string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " CONNECTION", Short: short, Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if question != "" {
				if err := a.Confirm(question, given[0]); err != nil {
					return err
				}
			}
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				c, err := r.connection(ctx, given[0])
				if err != nil {
					return err
				}
				if c, err = call[connection](ctx, r, http.MethodPost, c.path()+"/"+verb, nil); err != nil {
					return err
				}
				a.Answer(lifeDocument{schema, c, ""}, fmt.Sprintf(done, c.Name))
				return nil
			})
		},
	}
}

func (a *app) connectionsToken(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "token CONNECTION", Short: "Make a new token for a connection; prints it, once", Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := a.Confirm("The token that %s has now is dead at once.", given[0]); err != nil {
				return err
			}
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				c, err := r.connection(ctx, given[0])
				if err != nil {
					return err
				}
				made, err := call[lifeDocument](ctx, r, http.MethodPost, c.path()+"/token", nil)
				return a.tellNewToken(made, err)
			})
		},
	}
}

// tellNewToken prints a token that was just made.
func (a *app) tellNewToken(made lifeDocument, err error) error {
	if err != nil {
		return err
	}
	made.Schema = schema
	a.Answer(made, made.Token)
	a.Say("It is the token of %s (%s), and is shown only now.", made.Connection.Name, made.Connection.ID)
	return nil
}

// aboutLogin tells how a login is given.
const aboutLogin = `The login is a JSON document on standard input, or in the file of --login:

  {"credentials": {"password": "…"}, "settings": {…}}

Settings that are left out stay as they are. GET /systems/{system} of the API
shows the form. The agent logs in first; a login that fails changes nothing.`

func (a *app) connectionsRelink(org *string) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "relink CONNECTION", Short: "Give a connection another login: the same id, the same token", Args: cli.Args(cobra.ExactArgs(1)),
		Long: "Give a connection another login. Its id and its token stay.\n\n" + aboutLogin, Example: "  gantry-relay connections relink ERP --login login.json",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withLogin(cmd, *org, given[0], file, func(ctx context.Context, r remote, c connection, login json.RawMessage) error {
				c, err := call[connection](ctx, r, http.MethodPut, c.path()+"/credentials", login)
				if err != nil {
					return err
				}
				a.Answer(lifeDocument{schema, c, ""}, c.Name+" has the new login.")
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&file, "login", "-", "`file` with the login; -: standard input")
	return cmd
}

func (a *app) connectionsReconnect(org *string) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "reconnect CONNECTION", Short: "Make a new connection like one that was disconnected; prints its token, once", Args: cli.Args(cobra.ExactArgs(1)),
		Long:    "Make a new connection like one that was disconnected: the same system, site, name and\nsettings; with an id and a token of its own.\n\n" + aboutLogin,
		Example: "  gantry-relay connections reconnect con_… --login login.json > token.txt",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withLogin(cmd, *org, given[0], file, func(ctx context.Context, r remote, c connection, login json.RawMessage) error {
				made, err := call[lifeDocument](ctx, r, http.MethodPost, c.path()+"/reconnect", login)
				return a.tellNewToken(made, err)
			})
		},
	}
	cmd.Flags().StringVar(&file, "login", "-", "`file` with the login; -: standard input")
	return cmd
}

// withLogin reads a login and finds the connection that it is for.
func (a *app) withLogin(cmd *cobra.Command, org, named, file string, do func(context.Context, remote, connection, json.RawMessage) error) error {
	login, err := a.readLogin(file)
	if err != nil {
		return err
	}
	return a.remotely(cmd, org, func(ctx context.Context, r remote) error {
		c, err := r.connection(ctx, named)
		if err != nil {
			return err
		}
		return do(ctx, r, c, login)
	})
}

// readLogin reads a document without a look into it: it holds secrets, and the API says what is wrong with it.
func (a *app) readLogin(file string) (json.RawMessage, error) {
	in := a.In
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, cli.Fail(cli.ExitUsage, "Check the path given with --login.", "the file %s cannot be read", file)
		}
		defer opened.Close() //nolint:errcheck // it was only read
		in = opened
	}
	login, err := io.ReadAll(io.LimitReader(in, maxLogin+1))
	if err != nil {
		return nil, fmt.Errorf("read login: %w", err)
	}
	if len(login) > maxLogin || !json.Valid(login) {
		return nil, cli.Fail(cli.ExitUsage, `Give it as {"credentials": {"password": "…"}}.`, "the login is no JSON document, or is larger than %d KiB", maxLogin>>10)
	}
	return login, nil
}
