package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/tunnel/fault"
)

// Settle finds out what an earlier try of the same write did, whose outcome is unknown: after a crash, or a commit whose
// answer was lost. settled: it had its effect, and the result is there. Neither settled nor an error: it had none that
// lasts, or running it again cannot double it: run it. An error with outcome unknown: nothing can tell, or not yet.
func (e *Engine) Settle(ctx context.Context, w Write) (result Result, settled bool, err error) {
	j, f := e.job(w)
	if f != nil { // it was refused before anything was sent, and will be again
		return Result{}, false, nil
	}
	if !j.recognised() {
		return Result{}, false, j.at.in(fault.New(fault.Conflict, "Whether an earlier try of this write happened cannot be told: the system keeps no trace of its key.").
			Ended(fault.Unknown).Advise("Look into the system. If it did not happen, send it with a new Idempotency-Key."))
	}
	result, found, err := j.earlier(ctx)
	if err != nil || found {
		return result, found, err
	}
	if lag := j.lag(); w.Age < lag {
		return Result{}, false, j.at.in(fault.New(fault.Conflict, "The system may still hide what an earlier try of this write did.").
			Ended(fault.Unknown).After(lag - w.Age).Advise("Send it again with the same key after the time in Retry-After."))
	}
	return Result{}, false, nil
}

// lag is how long the system may hide an effect.
func (j *job) lag() time.Duration {
	if j.p.Class == definition.Lookup && j.p.Idempotency != nil {
		return j.p.Idempotency.Lag.Std()
	}
	return 0
}

// earlier looks for what an earlier try under the key did.
func (j *job) earlier(ctx context.Context) (Result, bool, error) {
	id, found, err := j.earlierID(ctx)
	if err != nil {
		return Result{}, false, j.e.fault(ctx, j.at, err).Ended(fault.NotSent)
	}
	if !found {
		return Result{}, false, nil
	}
	r := Result{Status: http.StatusOK, DeleteMode: deleteMode(j.w.Operation, j.asked), Replayed: true}
	if j.w.Operation == "create" {
		r.Status = http.StatusCreated
	}
	if r.DeleteMode == "hard" || r.DeleteMode == "soft" {
		r.Status = http.StatusNoContent
		return r, true, nil
	}
	r.Record, err = j.e.get(ctx, j.t, id, j.view())
	if fault.Is(err, fault.NotFound) { // it was made, and has gone since: that it was made is the answer
		r.Record = Record{ID: id, JSON: append(appendString([]byte(`{"id":`), id), '}')}
		return r, true, nil
	}
	if err != nil {
		return Result{}, false, j.e.fault(ctx, j.at, err).Ended(fault.Done)
	}
	return r, true, nil
}

// earlierID gives the record's id that an earlier try under the key left.
func (j *job) earlierID(ctx context.Context) (string, bool, error) {
	if j.p.Inbox != nil {
		vars := j.e.vars()
		vars["idempotency_key"] = j.inboxKey()
		rows, err := collect(j.e.conn.Read(ctx, connectors.Read{Statement: j.p.Inbox.Find.Statement, Vars: vars, Limit: 1}))
		if err != nil || len(rows) == 0 {
			return "", false, err
		}
		return text(rows[0]["record_id"]), true, nil
	}
	key, err := j.foundKey(ctx, j.e.conn)
	if err != nil || key == nil {
		return "", false, err
	}
	row := connectors.Row{}
	for i, column := range j.t.Key {
		row[column.Name] = key[i]
	}
	return string(j.t.appendID(nil, row)), true, nil
}

// foundKey runs the definition's `find`; nil: it finds nothing.
func (j *job) foundKey(ctx context.Context, src source) ([]any, error) {
	vars := j.e.vars()
	vars["idempotency_key"] = j.w.IdempotencyKey
	rows, err := collect(src.Read(ctx, connectors.Read{Statement: j.p.Find.Statement, Vars: vars, Limit: 1}))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key := make([]any, len(j.t.Key))
	for i, column := range j.t.Key {
		if key[i] = rows[0][column.Name]; key[i] == nil {
			return nil, internal(errNoKey)
		}
	}
	return key, nil
}

// inboxKey is the caller's key as the inbox holds it: of this connection alone, since another connection to the same database
// has its own callers; and short, whatever the key is. Who reads the table still sees whose it is.
func (j *job) inboxKey() string {
	sum := sha256.Sum256([]byte(j.w.IdempotencyKey))
	return j.e.connection + "." + base64.RawURLEncoding.EncodeToString(sum[:])
}

// inbox runs one of the inbox's statements inside the write's transaction.
func (j *job) inbox(ctx context.Context, call *definition.Call, recordID any) error {
	vars := j.e.vars()
	vars["idempotency_key"], vars["record_id"] = j.inboxKey(), recordID
	vars["entity"], vars["operation"], vars["now"] = j.w.Entity, j.w.Operation, j.now(call.Step.Now)
	_, err := j.tx.Exec(ctx, call.Statement, vars)
	return err
}

var errNoKey = errors.New("the statement `find` does not return the columns of the key")
