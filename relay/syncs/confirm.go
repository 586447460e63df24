package syncs

import (
	"context"
	"errors"
	"sync"

	"gantry/connectors/wire"
	"gantry/relay/records"
	"gantry/tunnel/fault"
)

// Records that a full run did not see are asked for one by one, some at a time.
const (
	confirmPage = 100
	confirmers  = 4
)

// fewGone is up to how many records may go at once without a question, unless nothing at all is left.
const fewGone = 10

// decide says what becomes of the records that a whole run did not see.
func (s *step) decide(ctx context.Context) error {
	run := s.sync.Run
	if !run.Compares {
		return s.end(ctx, nil)
	}
	unseen, live, err := s.Store.CountUnseen(ctx, s.sync.Key, run.ID)
	switch {
	case err != nil:
		return err
	case unseen == 0:
		return s.end(ctx, nil)
	case !run.Accepts && implausible(unseen, live):
		return s.end(ctx, heldBack(unseen, live).In(s.sync.Entity, "list", ""))
	}
	return s.keep(ctx, records.Page{Stage: records.Confirming})
}

// implausible tells a source that lost its records from one that does not show them any more: to a login whose rights were
// narrowed a database shows an empty table, without an error, and says of each row that there is none.
func implausible(unseen, live int) bool {
	return unseen == live || unseen > fewGone && unseen*2 > live
}

func heldBack(unseen, live int) *fault.Error {
	return fault.New(fault.Conflict, "A full run saw no more of %d of %d records. None was marked as deleted.", unseen, live).
		Reaches(fault.ScopeEntity).
		Advise(`Check the rights of the login at the system. If the records are gone indeed, POST /syncs/{entity} {"full": true, "accept_deletions": true}.`)
}

// confirm asks the source for some of the records that the run did not see. Those that it has nevertheless, because they moved
// in its order while the pages were read, are seen now.
func (s *step) confirm(ctx context.Context) error {
	run := s.sync.Run
	ids, err := s.Store.Unseen(ctx, s.sync.Key, run.ID, run.Cursor, confirmPage)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return s.end(ctx, nil)
	}
	page, err := s.ask(ctx, ids)
	if err != nil {
		return err
	}
	page.Stage, page.Cursor = records.Confirming, ids[len(ids)-1]
	return s.keep(ctx, page)
}

// ask gets the records, a few at a time. Where the plant lets nobody get one, the comparison has to do.
func (s *step) ask(ctx context.Context, ids []string) (page records.Page, err error) {
	var can wire.EntityCapabilities
	if err := decode(s.sync.Capabilities, &can); err != nil {
		return page, err
	}
	if !can.Operations["get"].Allowed {
		page.Gone = ids
		return page, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var group sync.WaitGroup
	work := make(chan string)
	var faults []error
	for range confirmers {
		group.Go(func() {
			for id := range work {
				record, err := s.Source.Get(ctx, s.connection, s.sync.Entity, id)
				mu.Lock()
				switch {
				case err == nil:
					page.Records = append(page.Records, record)
				case gone(err):
					page.Gone = append(page.Gone, id)
				default:
					faults = append(faults, err)
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	for _, id := range ids {
		select {
		case work <- id:
		case <-ctx.Done():
		}
	}
	close(work)
	group.Wait()
	if len(faults) > 0 {
		return page, faults[0]
	}
	return page, ctx.Err()
}

// gone reports whether the source itself says that it has no such record. NOT_FOUND of another hop says something else: that the
// agent does not hold the login.
func gone(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Code == fault.NotFound && f.Hop == fault.HopSystem
}
