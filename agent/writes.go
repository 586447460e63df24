package agent

import (
	"context"
	"errors"
	"log/slog"

	"gantry/agent/control"
	"gantry/agent/journal"
	"gantry/agent/state"
)

// maxWrites is how many unresolved writes are listed.
const maxWrites = 1000

// Writes implements control.Source.
func (a *Agent) Writes(ctx context.Context) ([]control.Write, error) {
	r := a.running.Load()
	if r == nil {
		return nil, nil
	}
	return listWrites(ctx, r.journal)
}

// ResolveWrite implements control.Source. Who resolved what is in the log.
func (a *Agent) ResolveWrite(ctx context.Context, id string, happened bool) (control.Write, error) {
	r := a.running.Load()
	if r == nil {
		return control.Write{}, journal.ErrNoWrite
	}
	return resolveWrite(ctx, r.journal, id, happened, a.logger)
}

// StoredWrites lists them while no agent runs. The error is state.ErrInUse if one does.
func StoredWrites(ctx context.Context, stateDir string) (all []control.Write, err error) {
	err = withJournal(ctx, stateDir, func(j *journal.Journal) error {
		all, err = listWrites(ctx, j)
		return err
	})
	return all, err
}

// ResolveStoredWrite is ResolveWrite while no agent runs.
func ResolveStoredWrite(ctx context.Context, stateDir, id string, happened bool, logger *slog.Logger) (w control.Write, err error) {
	err = withJournal(ctx, stateDir, func(j *journal.Journal) error {
		w, err = resolveWrite(ctx, j, id, happened, logger)
		return err
	})
	return w, err
}

// withJournal takes the state folder for a moment.
func withJournal(ctx context.Context, stateDir string, do func(*journal.Journal) error) error {
	lock, err := state.Lock(stateDir)
	if err != nil {
		return err
	}
	db, err := state.Open(ctx, stateDir)
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	j, err := journal.New(ctx, db.SQL())
	if err == nil {
		err = do(j)
	}
	return errors.Join(err, db.Close(), lock.Close())
}

func listWrites(ctx context.Context, j *journal.Journal) ([]control.Write, error) {
	entries, err := j.Unresolved(ctx, maxWrites)
	if err != nil {
		return nil, err
	}
	all := make([]control.Write, len(entries))
	for i, e := range entries {
		all[i] = showWrite(e)
	}
	return all, nil
}

func resolveWrite(ctx context.Context, j *journal.Journal, id string, happened bool, logger *slog.Logger) (control.Write, error) {
	entry, err := j.Resolve(ctx, id, happened)
	if err != nil {
		return control.Write{}, err
	}
	w := showWrite(entry)
	logger.WarnContext(ctx, "write resolved by a person", "write", w.ID, "happened", happened, "connection", w.Connection, "entity", w.Entity,
		"operation", w.Operation, "record", w.RecordID, "key", w.Key, "request_id", w.RequestID)
	return w, nil
}

func showWrite(e journal.Entry) control.Write {
	w := control.Write{ID: e.ID(), Connection: e.Connection, Key: e.OwnKey(), RequestID: e.RequestID, Since: e.StartedAt}
	w.Entity, w.Operation, w.RecordID = e.Subject()
	return w
}
