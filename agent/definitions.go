package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"time"

	"gantry/connectors/definition"
	"gantry/connectors/wire"
)

// definitionsEvery is how often the site's own folder of definitions is looked at. It may lie on a network drive, which tells
// of no change by itself.
const definitionsEvery = 2 * time.Second

// publishTime bounds the telling of a new catalogue.
const publishTime = 30 * time.Second

// followDefinitions takes each change of the site's own folder into force once it has settled: of a file that is still being
// copied, half a definition is no use.
func (a *Agent) followDefinitions(ctx context.Context, r *running) {
	if a.config.Definitions == "" || a.opts.LoadDefinitions == nil {
		return
	}
	folder := os.DirFS(a.config.Definitions)
	inForce := a.seen
	last := inForce
	ticker := time.NewTicker(definitionsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := traits(folder)
		if now == last && now != inForce {
			inForce = now
			a.redefine(ctx, r)
		}
		last = now
	}
}

var traitsSeed = maphash.MakeSeed()

// traits tells one state of a folder from another, by its files' names, sizes and times.
func traits(folder fs.FS) uint64 {
	var h maphash.Hash
	h.SetSeed(traitsSeed)
	files := 0
	err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if files++; files > definition.MaxFiles {
			return fs.SkipAll
		}
		info, err := entry.Info()
		if err == nil && !entry.IsDir() {
			fmt.Fprintln(&h, name, info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	fmt.Fprintln(&h, err)
	return h.Sum64()
}

// redefine reads the definitions again. Systems that are as before go on untouched; the logins of the others are made anew
// when they are next called. A faulty file takes its own system away and no other.
func (a *Agent) redefine(ctx context.Context, r *running) {
	set, err := a.opts.LoadDefinitions()
	if err != nil {
		a.logger.ErrorContext(ctx, "definitions not read, those before stay in force", "error", err)
		return
	}
	before, now := a.systems.Load(), set.Prepare(a.opts.Drivers)
	a.systems.Store(now)
	changed := differ(before, now)
	a.logger.InfoContext(ctx, "definitions read again", "changed", changed, "faulty", len(now.Faulty()))
	a.tellFaulty(ctx, now)
	r.handler.Redefined(changed)
	if err := a.publish(ctx, r); err != nil {
		a.logger.WarnContext(ctx, "catalogue not published, the next session will tell it", "error", err)
	}
}

// differ lists the systems that are not the same in both sets.
func differ(before, now *definition.Set) []string {
	changed := []string{}
	for _, set := range []*definition.Set{before, now} {
		for _, d := range set.Systems() {
			id := d.Metadata.ID
			b, n := before.Lookup(id), now.Lookup(id)
			if (b == nil || n == nil || b.Digest != n.Digest) && !slices.Contains(changed, id) {
				changed = append(changed, id)
			}
		}
	}
	return changed
}

// tellFaulty logs what is left out.
func (a *Agent) tellFaulty(ctx context.Context, set *definition.Set) {
	for _, faulty := range set.Faulty() {
		first := faulty.Problems[0]
		a.logger.WarnContext(ctx, "definition is faulty, its system is left out", "system", faulty.ID, "problems", len(faulty.Problems),
			"file", first.File, "line", first.Line, "key", first.Key, "problem", first.Message)
	}
}

// publish tells the relay what the agent can connect now.
func (a *Agent) publish(ctx context.Context, r *running) error {
	session := r.links.Session()
	if session == nil {
		return errNoSession
	}
	body, err := json.Marshal(r.handler.Catalogue())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	response, err := post(ctx, session, wire.PathCatalogue, body)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it has none
	if response.StatusCode != http.StatusNoContent {
		return problem(response)
	}
	return nil
}
