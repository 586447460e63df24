package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"gantry/configs/cli"
	"gantry/relay/admin"
	"gantry/relay/store/sqlite"
)

// administer runs a command of the administration: by the relay that serves the data folder, or, where none does, on the
// folder itself. create says whether a folder may be made.
func (a *app) administer(ctx context.Context, create bool, do func(context.Context, admin.Administration) error) error {
	config, err := a.load()
	if err != nil {
		return err
	}
	err = do(ctx, admin.NewClient(config.DataDir))
	if !errors.Is(err, admin.ErrNotRunning) {
		return err
	}
	if err := hasData(config.DataDir); err != nil && !create {
		return err
	}
	store, err := sqlite.Open(ctx, config.DataDir, nil)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, admin.Direct{Store: store}), store.Close())
}

// hasData tells where a folder is no relay's.
func hasData(dir string) error {
	_, err := os.Stat(filepath.Join(dir, sqlite.File))
	if errors.Is(err, fs.ErrNotExist) {
		return cli.Fail(cli.ExitNotRunning, "Start a relay with `gantry-relay serve`, or name its folder with --data-dir.",
			"there is no relay's data in %s", dir)
	}
	return err
}

// organisation gives the one that --org names, or the only one there is.
func organisation(ctx context.Context, a admin.Administration, named string) (string, error) {
	all, err := a.Organisations(ctx)
	switch {
	case err != nil:
		return "", err
	case named != "":
		if !slices.ContainsFunc(all, func(o admin.Organisation) bool { return o.ID == named }) {
			return "", cli.Fail(cli.ExitFailed, "See: gantry-relay orgs list", "there is no organisation %q", named)
		}
		return named, nil
	case len(all) == 0:
		return "", cli.Fail(cli.ExitFailed, `Found one: gantry-relay orgs create "NAME" --credits N`, "there is no organisation yet")
	case len(all) > 1:
		return "", cli.Fail(cli.ExitUsage, "Name one with --org; see: gantry-relay orgs list", "there are %s", cli.Count(len(all), "organisation", "organisations"))
	}
	return all[0].ID, nil
}
