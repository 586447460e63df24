package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/agent/bundle"
	"gantry/agent/control"
	"gantry/agent/logs"
	"gantry/configs/cli"
	"gantry/installer"
)

// bundleAsked are the flags of `bundle`.
type bundleAsked struct {
	out       string
	preview   bool
	anonymize bool
}

func (a *app) bundle() *cobra.Command {
	var asked bundleAsked
	cmd := &cobra.Command{
		Use: "bundle", Aliases: []string{"flare", "diagnostics"}, Short: "Make the archive for support, without secrets", Args: cli.Args(cobra.NoArgs),
		Long: `Make the archive for support: the doctor's report, status, configuration, logs, the
service's definition, versions, routes, proxy settings, and what the process does. There
are no rows, no bodies and no secrets in it: texts are redacted, and then the archive is
searched for every secret that the agent knows, in every usual form. One that is found
refuses the archive, and nothing is written.

Look at it before you send it: --preview prints every file of it, and writes none.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.makeBundle(cmd, asked) },
	}
	flags := cmd.Flags()
	flags.StringVar(&asked.out, "out", "", "write to this `file` (default: gantry-agent-TIME.zip in this folder)")
	flags.BoolVar(&asked.preview, "preview", false, "print what would be in it, and write nothing")
	flags.BoolVar(&asked.anonymize, "anonymize", false, "replace names of hosts, connections and users, and addresses, each by the same alias everywhere")
	return cmd
}

// bundleTime bounds the making of a bundle, the doctor's time included, where the person gave none.
const bundleTime = 2 * time.Minute

func (a *app) makeBundle(cmd *cobra.Command, asked bundleAsked) error {
	limit := bundleTime
	if given := a.given(cmd); given > 0 {
		limit = given
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), limit)
	defer cancel()
	cmd.SetContext(ctx)
	archive, err := a.pack(cmd, asked.anonymize)
	if leak, ok := errors.AsType[*bundle.Leak](err); ok {
		return cli.Fail(cli.ExitFailed, "Nothing was written. `gantry-agent bundle --preview` cannot show it either; tell support the name of the file.", "%w", leak)
	}
	if err != nil {
		return err
	}
	if asked.preview {
		return a.preview(archive)
	}
	if asked.out == "" {
		asked.out = "gantry-agent-" + time.Now().UTC().Format("20060102T150405Z") + ".zip"
	}
	out, err := filepath.Abs(asked.out)
	if err != nil {
		return err
	}
	if err := writeWhole(out, archive); err != nil {
		return err
	}
	return a.tellBundle(out, archive)
}

// pack has the running agent make the archive, which knows the secrets, and proves it again with those that this process knows. Without
// a running agent it makes it of what the disk tells.
func (a *app) pack(cmd *cobra.Command, anonymize bool) ([]byte, error) {
	ctx := cmd.Context()
	config, _ := a.load() // what is wrong with it, the report says
	secrets, unknown := agent.StoredSecrets(ctx, config, a.file())
	client := control.NewClient(config.StateDir)
	if _, err := client.Status(ctx); !errors.Is(err, control.ErrNotRunning) {
		if err != nil {
			return nil, err
		}
		contents, err := json.Marshal(a.outside(cmd))
		if err != nil {
			return nil, err
		}
		archive, err := client.Bundle(ctx, control.BundleRequest{Anonymize: anonymize, Contents: contents})
		if err != nil {
			return nil, err
		}
		return archive, bundle.Prove(ctx, archive, secrets)
	}
	if errors.Is(unknown, fs.ErrPermission) {
		return nil, unknown
	}
	status, err := a.resting(ctx, control.NotRunning)
	if err != nil {
		return nil, err
	}
	options := bundle.Options{Version: version, By: "command", Secrets: secrets, Anonymize: anonymize}
	if unknown != nil {
		options.Unproved = "the agent's secrets cannot be known (" + unknown.Error() + "), so it could not be proved that none is in it"
	}
	contents := a.outside(cmd)
	agent.Pack(ctx, &contents, config, status, a.logPlaces())
	var archive bytes.Buffer
	err = bundle.Write(ctx, &archive, contents, options)
	return archive.Bytes(), err
}

// outside is what this process sees, and the service may not.
func (a *app) outside(cmd *cobra.Command) bundle.Contents {
	ctx := cmd.Context()
	config, _ := a.load()
	report := a.examine(cmd, false)
	c := bundle.Contents{Report: &report, Host: bundle.Here(config.StateDir, filepath.Dir(a.file()))}
	s, err := a.installed(ctx)
	if err != nil {
		c.Missing = append(c.Missing, bundle.Missing{Name: "service.json", Why: err.Error()})
	}
	if s == nil {
		return c
	}
	c.Service = &bundle.Service{
		Manager: s.Manager, Installed: s.Installed, Packaged: s.Packaged, Enabled: s.Enabled, Running: s.Running, Phase: s.Phase, Since: s.Since, PID: s.PID,
		Restarts: s.Restarts, Account: s.Account, Binary: s.Binary, Unit: s.Unit, LastExit: s.LastExit, Sentence: s.Sentence,
	}
	c.Definition = bundle.Definition(s.Unit)
	var text strings.Builder
	_, err = logs.Tail(ctx, logs.Places{Unit: installer.AgentSpec().Name}, logs.Options{Last: journalLines}, func(l logs.Line) error {
		fmt.Fprintf(&text, "%s %s\n", l.Time.Format(time.RFC3339), l.Text)
		return nil
	})
	if err != nil {
		c.Missing = append(c.Missing, bundle.Missing{Name: "logs/journal.log", Why: err.Error()})
	}
	c.Journal = text.String()
	return c
}

// journalLines is how many lines of the service manager's journal a bundle takes at most.
const journalLines = 5000

// writeWhole writes a file that is there whole or not at all, for its owner alone.
func writeWhole(path string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".gantry-bundle-*")
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write bundle: %w", err), os.Remove(temp.Name()))
	}
	return nil
}

// bundleDocument is the --json form of `bundle`.
type bundleDocument struct {
	Schema   int             `json:"schema"`
	File     string          `json:"file"` // empty: only previewed
	Bytes    int             `json:"bytes"`
	Manifest bundle.Manifest `json:"manifest"`
}

func (a *app) tellBundle(out string, archive []byte) error {
	document := bundleDocument{control.Schema, out, len(archive), bundle.Manifest{}}
	if err := bundle.Each(archive, func(name string, content []byte) error {
		if name == "manifest.json" {
			return json.Unmarshal(content, &document.Manifest)
		}
		return nil
	}); err != nil {
		return err
	}
	if a.JSON {
		a.PrintJSON(document)
		return nil
	}
	m := document.Manifest
	if out != "" {
		a.Print("%s", out)
	}
	a.Say("%s, %d KiB. %s", cli.Count(len(m.Files), "file", "files"), (len(archive)+1023)/1024, proved(m.Proof))
	for _, missing := range m.Missing {
		a.Say("Without %s: %s.", missing.Name, missing.Why)
	}
	return nil
}

// proved says what the archive was searched for.
func proved(p bundle.Proof) string {
	if p.Unproved != "" {
		return "Without logs: the agent's secrets are not known here."
	}
	text := "Searched for " + cli.Count(p.Secrets, "secret", "secrets") + ": none is in it."
	if p.Short > 0 {
		text += fmt.Sprintf(" %s too short to be searched for.", cli.Count(p.Short, "is", "are"))
	}
	return text
}

// preview prints the archive.
func (a *app) preview(archive []byte) error {
	if a.JSON {
		return a.tellBundle("", archive)
	}
	err := bundle.Each(archive, func(name string, content []byte) error {
		a.Print("==> %s, %d bytes", name, len(content))
		if strings.HasSuffix(name, ".out") {
			a.Print("(a recording for `go tool trace`)\n")
			return nil
		}
		a.Print("%s\n", bytes.TrimRight(content, "\n"))
		return nil
	})
	return errors.Join(err, a.tellBundle("", archive))
}
