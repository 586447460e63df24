package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/records"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// kept serves what the relay itself keeps of a connection. A connection's own token reads it while the connection lives; an
// organisation key that names it, also afterwards.
func (a *API) kept(operation string, serve dataAnswer) http.Handler {
	return handler(operation, func(w http.ResponseWriter, r *http.Request) error {
		ctx, p, err := a.authenticate(w, r)
		if err != nil {
			return err
		}
		defer p.Release()
		if err := p.Require(auth.ReadData); err != nil {
			return err
		}
		id := r.Header.Get(headerConnection)
		if p.Connection != nil || id == "" {
			ctx, err = a.narrow(ctx, r, p)
		} else {
			err = a.name(ctx, p, id)
		}
		if err != nil {
			return err
		}
		return serve(w, r.WithContext(ctx), p)
	})
}

// name lets an organisation key speak for a connection in whatever state it is.
func (a *API) name(ctx context.Context, p *auth.Principal, id string) error {
	c, err := a.store.Connection(ctx, p.OrganisationID, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && c.State == store.Pending {
		return fault.New(fault.NotFound, "There is no such connection.").Reaches(fault.ScopeConnection).
			Advise("Check the id; GET /connections lists the organisation's connections.")
	}
	p.Connection = &c
	return err
}

// synced finds the sync of the entity that the path names.
func (a *API) synced(r *http.Request, p *auth.Principal) (records.Sync, error) {
	entity := r.PathValue("entity")
	s, err := a.records.Sync(r.Context(), records.Key{Connection: p.Connection.ID, Entity: entity})
	if errors.Is(err, store.ErrNotFound) {
		return s, fault.New(fault.NotFound, "This entity is not synced.").Reaches(fault.ScopeEntity).In(clip(entity), opList, "").
			Advise("PUT /syncs/{entity} begins to sync it; GET /sync-status lists what is synced.")
	}
	return s, err
}

// listRecords gives a page of what was synced, or all of it as a stream.
func (a *API) listRecords(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	s, err := a.synced(r, p)
	if err != nil {
		return err
	}
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.InvalidRequest, "The query of the address is malformed.").Because(err)
	}
	streams := wantsStream(r)
	wanted, err := readWanted(s, params, streams)
	if err != nil {
		return err
	}
	if streams {
		w.(*visit).operation = "records.stream"
		return a.streamRecords(w, r, p, s.Key, wanted)
	}
	wanted.query.Limit++ // one more tells whether there are more
	rows, err := a.findRecords(r.Context(), s.Key, wanted.query)
	if err != nil {
		return err
	}
	answer := list[json.RawMessage]{Data: []json.RawMessage{}}
	if len(rows) == wanted.query.Limit {
		rows = rows[:len(rows)-1]
		cursor := wanted.cursor(rows[len(rows)-1])
		answer.NextCursor, answer.HasMore = &cursor, true
	}
	for _, row := range rows {
		document, err := wanted.show(row)
		if err != nil {
			return err
		}
		answer.Data = append(answer.Data, document)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(a.limits.ClientStall))
	return reply(w, http.StatusOK, answer)
}

// errSearch ends a search at the relay's own limit: a field without an index is looked for in every record.
var errSearch = fault.New(fault.SystemTimeout, "Searching the synced records took longer than a call may.").At(fault.HopRelay).
	Advise("Narrow the query with status or modified_after, which have an index.")

// findRecords reads one page, as one of the connection's calls and within their time.
func (a *API) findRecords(ctx context.Context, key records.Key, query records.Query) ([]records.Stored, error) {
	leave, err := a.calls.enter(key.Connection)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, a.limits.CallTimeout, errSearch)
	defer cancel()
	rows, err := a.records.Records(ctx, key, query)
	if cause := endOf(ctx); err != nil && cause != nil {
		return nil, cause.In(key.Entity, opList, "")
	}
	return rows, err
}

// getRecord gives one record, also one that is gone at the source.
func (a *API) getRecord(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	s, err := a.synced(r, p)
	if err != nil {
		return err
	}
	params, err := parameters(r, "fields")
	if err != nil {
		return err
	}
	wanted, err := readWanted(s, params, false)
	if err != nil {
		return err
	}
	row, err := a.records.Record(r.Context(), s.Key, r.PathValue("id"))
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "No record of this id was synced.").In(s.Entity, opGet, clip(r.PathValue("id")))
	}
	if err != nil {
		return err
	}
	document, err := wanted.show(row)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, json.RawMessage(document))
}

// streamRecords writes the whole result, a page of the store at a time.
func (a *API) streamRecords(w http.ResponseWriter, r *http.Request, p *auth.Principal, key records.Key, wanted *wantedRecords) error {
	leave, err := a.streams.enter(p.Connection.ID)
	if err != nil {
		return err
	}
	defer leave()
	sink := newSink(r.Context(), w, wire.NDJSON, a.limits.ClientStall)
	defer sink.release()
	count, err := a.writeRecords(r.Context(), sink, key, wanted)
	if err != nil {
		return a.cutShort(r.Context(), sink, err)
	}
	end, err := json.Marshal(map[string]any{"end": map[string]int{"count": count}})
	if err == nil {
		err = sink.end(append(end, '\n'))
	}
	return err
}

func (a *API) writeRecords(ctx context.Context, sink *sink, key records.Key, wanted *wantedRecords) (count int, err error) {
	var lines bytes.Buffer
	query := wanted.query
	query.Limit = largestPage
	for {
		rows, err := a.findRecords(ctx, key, query)
		if err != nil {
			return count, err
		}
		lines.Reset()
		for _, row := range rows {
			document, err := wanted.show(row)
			if err != nil {
				return count, err
			}
			lines.Write(document)
			lines.WriteByte('\n')
		}
		if len(rows) > 0 {
			if err := sink.write(lines.Bytes()); err != nil {
				return count, left(err)
			}
			sink.flush()
		}
		if count += len(rows); len(rows) < query.Limit {
			return count, nil
		}
		last := rows[len(rows)-1]
		query.After = records.Position{ID: last.ID, Modified: last.Modified}
	}
}

// cutShort ends a stream with the reason in its last line.
func (a *API) cutShort(ctx context.Context, sink *sink, err error) error {
	failure := endOf(ctx)
	if failure == nil {
		failure = classify(err).Clone()
	}
	failure.RequestID = requestIDOf(ctx)
	if line, err := json.Marshal(map[string]*fault.Error{"error": failure}); err == nil {
		_ = sink.end(append(line, '\n')) // the caller may be gone
	}
	return told{failure}
}

// wantedRecords is a query for records, understood.
type wantedRecords struct {
	query  records.Query
	fields map[string]bool // nil: all
	print  []byte          // of all that a cursor is bound to
}

// show gives a record as it is wanted.
func (w *wantedRecords) show(row records.Stored) (json.RawMessage, error) {
	if w.fields == nil {
		return row.Document, nil
	}
	return records.Project(row.Document, w.fields)
}

var envelopeTimes = []string{"created_at", "updated_at", "deleted_at"}

func isEnvelope(name string) bool {
	return name == "id" || name == "etag" || name == "custom_fields" || slices.Contains(envelopeTimes, name)
}
