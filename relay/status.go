package relay

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gantry/relay/admin"
	"gantry/relay/disk"
	recordfile "gantry/relay/records/sqlite"
	"gantry/relay/store"
	"gantry/relay/store/sqlite"
)

// Status tells how the relay is, to whoever owns it.
func (r *Relay) Status(ctx context.Context) admin.Status {
	sessions, agents := r.hub.Sessions()
	s := admin.Status{
		Version: r.options.Version, PID: os.Getpid(), StartedAt: r.started.UTC(), URL: r.publicURL(), Listen: r.Addr(), Metrics: r.MetricsAddr(),
		DataDir: r.config.DataDir, Agents: agents, Sessions: sessions, Problems: []string{},
	}
	for _, name := range []string{sqlite.File, sqlite.File + "-wal", recordfile.File, recordfile.File + "-wal"} {
		if info, err := os.Stat(filepath.Join(r.config.DataDir, name)); err == nil {
			s.DatabaseBytes += info.Size()
		}
	}
	if free, err := disk.Free(r.config.DataDir); err == nil {
		s.DiskFreeBytes = free
		if free < disk.Low {
			s.Problems = append(s.Problems, fmt.Sprintf("the disk of %s has %d MB left", r.config.DataDir, free>>20))
		}
	}
	all, err := r.store.Organisations(ctx, store.Page{})
	if err != nil {
		s.Problems = append(s.Problems, "the database cannot be read: "+err.Error())
	}
	s.Organisations = len(all)
	return s
}
