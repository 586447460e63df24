package engine

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/tunnel/fault"
)

// Write is one operation that has an effect.
type Write struct {
	Entity         string
	Operation      string         // create, update, delete, or an action's name
	ID             string         // empty on create
	Body           map[string]any // of connectors.DecodeBody; numbers are json.Number
	IfMatch        string         // an etag without quotes, or *; "": the version just read is bound
	IdempotencyKey string         // "": the write cannot be recognised again
	DryRun         bool           // check everything that can be checked, and change nothing
	Now            time.Time      // the caller's clock, for `:now`
	Age            time.Duration  // for Settle: how long ago the first try began
	Hidden         []string       // as in Query
	Permits        func(operation string) bool
}

// Result is what a write did.
type Result struct {
	Status     int    // an HTTP status that fits: 201, 200, or 204 where there is nothing left to show
	Record     Record // as it is now; of a dry run its JSON says what would be sent, and ID and ETag are empty
	DeleteMode string // of a delete: hard, soft or status
	Replayed   bool   // an earlier try under the same key had done it
}

// job is one write under way, used by one goroutine.
type job struct {
	e       *Engine
	t       *table
	asked   *definition.Procedure // what the caller named
	p       *definition.Procedure // what does the work
	w       Write
	at      place
	in      *input
	body    map[string]any // as expressions see it
	tx      connectors.Tx
	key     []any
	row     connectors.Row // the record before the write; nil on create
	current any            // the same, as expressions see it
	last    *encoder       // the same with its lists, where the action takes it out of the system's sight
	vars    connectors.Vars
	changed bool // a step succeeded
	ignored bool // and yet the record is as it was
	planned []planned
}

// Write runs an operation. The error is a *fault.Error whose Outcome says what became of it: not_sent and rejected
// changed nothing, unknown may have happened.
func (e *Engine) Write(ctx context.Context, w Write) (Result, error) {
	j, f := e.job(w)
	if f != nil {
		return Result{}, f
	}
	result, err := j.once(ctx)
	if err != nil {
		return Result{}, err
	}
	e.denials.clear(j.at)
	return result, nil
}

// job checks a write as far as that needs no system.
func (e *Engine) job(w Write) (*job, *fault.Error) {
	at := place{w.Entity, w.Operation, w.ID}
	t, err := e.table(w.Entity, w.Operation)
	if err != nil {
		return nil, fault.From(err, fault.HopAgent).Ended(fault.NotSent)
	}
	asked := t.procedure(w.Operation)
	if asked == nil || (w.Operation == "create") != (w.ID == "") {
		return nil, at.in(unsupported(t, w.Operation)).Ended(fault.NotSent)
	}
	j := &job{e: e, t: t, asked: asked, p: effective(asked), w: w, at: at, vars: e.vars()}
	columns, op := t.columns, w.Operation
	if t.Procedures[w.Operation] == nil || w.Operation == "delete" {
		columns, op = t.inputs[j.p.Name], "action"
	}
	in, f := t.checkInput(columns, op, w.Body, w.Hidden)
	if f != nil {
		return nil, at.in(f).Ended(fault.NotSent)
	}
	j.in, j.body = in, map[string]any{}
	if w.Body != nil {
		j.body = plain(w.Body).(map[string]any)
	}
	if w.ID != "" {
		var ok bool
		if j.key, ok = t.parseID(w.ID); !ok {
			return nil, at.in(notFound(t, w.ID)).Ended(fault.Rejected)
		}
	}
	return j, nil
}

// once runs the write unless an earlier try under its key is found to have done it.
func (j *job) once(ctx context.Context) (Result, error) {
	if j.keyed() && !j.w.DryRun {
		if r, found, err := j.earlier(ctx); err != nil || found {
			return r, err
		}
	}
	result, err := j.transaction(ctx)
	f, isFault := errors.AsType[*fault.Error](err)
	if !isFault || f.Code != fault.Duplicate || f.Outcome == fault.Unknown || !j.recognised() {
		return result, err
	}
	// Another try under the key was faster, or came through after all.
	if r, found, again := j.earlier(ctx); again == nil && found {
		return r, nil
	}
	return Result{}, err
}

// keyed reports whether the key is looked for before the write.
func (j *job) keyed() bool { return j.w.IdempotencyKey != "" && j.p.Find != nil }

// recognised reports whether the system can tell an earlier try under the key.
func (j *job) recognised() bool {
	return j.w.IdempotencyKey != "" && (j.p.Find != nil || j.p.Inbox != nil)
}

// transaction is the unit of work: lock, read, judge, change, read again, commit.
func (j *job) transaction(ctx context.Context) (Result, error) {
	tx, err := j.e.conn.Begin(ctx, false)
	if err != nil {
		return Result{}, j.failed(ctx, err)
	}
	defer func() {
		if err := tx.Rollback(); err != nil { // the session is the driver's to discard; the outcome stands already
			j.e.logger.WarnContext(ctx, "rollback failed", "entity", j.at.entity, "operation", j.at.operation, "error", err)
		}
	}()
	j.tx = tx
	if err := j.prepare(ctx); err != nil {
		return Result{}, j.failed(ctx, err)
	}
	if err := j.change(ctx); err != nil {
		return Result{}, j.failed(ctx, err)
	}
	if j.w.DryRun {
		return j.plan()
	}
	result, err := j.result(ctx)
	if err != nil {
		return Result{}, j.failed(ctx, err)
	}
	if err := j.commit(ctx); err != nil {
		return Result{}, err
	}
	return result, nil
}

// prepare claims the key, locks and reads the record, and asks the rules.
func (j *job) prepare(ctx context.Context) error {
	j.bind()
	if j.p.Inbox != nil && j.w.IdempotencyKey != "" && !j.w.DryRun {
		if err := j.inbox(ctx, j.p.Inbox.Insert, nil); err != nil {
			return err
		}
	}
	if j.key != nil {
		if err := j.lock(ctx); err != nil {
			return err
		}
		if err := j.read(ctx); err != nil {
			return err
		}
		if err := j.checkState(); err != nil {
			return err
		}
	}
	if f := j.e.judge(ctx, j.t, j.w.Operation, j.scope()); f != nil {
		return f
	}
	return j.compute(ctx, j.p.Vars, j.vars)
}

// scope is what the operation's expressions see.
func (j *job) scope() definition.Scope {
	return definition.Scope{"input": j.body, "current": j.current, "login": j.e.login, "row": map[string]any(j.row)}
}

func (j *job) lock(ctx context.Context) error {
	if j.t.Lock == nil {
		return nil
	}
	_, err := j.tx.Exec(ctx, j.t.Lock, j.vars)
	return err
}

// read reads the record that is to be changed.
func (j *job) read(ctx context.Context) error {
	row, err := j.e.find(ctx, j.tx, j.t, j.key)
	if err != nil {
		return err
	}
	if row == nil {
		return notFound(j.t, j.w.ID)
	}
	record, err := j.e.encodeOne(ctx, j.tx, j.t, j.t.bare, row)
	if err != nil {
		return err
	}
	if j.p.Leaves {
		j.last = &encoder{ctx: ctx, e: j.e, t: j.t, view: j.view(), left: j.p.To}
		if err := j.last.fetch(j.tx, []connectors.Row{row}, j.last.view.children); err != nil {
			return err
		}
	}
	j.row, j.current = row, decodeRecord(record.JSON)
	j.bindCurrent()
	return nil
}

// checkState compares the version and the status with what the caller and the action expect.
func (j *job) checkState() error {
	if err := j.checkVersion(); err != nil {
		return err
	}
	status := j.t.statusOf(j.row)
	if len(j.p.From) == 0 || j.t.startsFrom(j.w.Operation, status) {
		return nil
	}
	return fault.New(fault.RecordLocked, "The record is %s; %s starts from: %s.", strings.ReplaceAll(status, "_", " "), j.w.Operation,
		strings.Join(j.p.From, ", ")).Advise("Bring the record into one of these states first; `_actions` shows what can be done now.")
}

func (j *job) checkVersion() error {
	want := j.w.IfMatch
	switch {
	case want == "" || want == "*":
		return nil
	case j.t.Version == nil:
		return fault.New(fault.InvalidRequest, "Records of %s have no etag in this system.", j.t.Name).
			Member("If-Match", "INVALID", "leave it out")
	}
	if now := text(j.row[j.t.Version.Name]); want != now {
		return fault.New(fault.PreconditionFailed, "The record has changed since it was read: its etag is now %q.", now)
	}
	return nil
}

// result reads the record as it is now, in the same transaction, and finishes the inbox.
func (j *job) result(ctx context.Context) (Result, error) {
	r := Result{Status: http.StatusOK, DeleteMode: deleteMode(j.w.Operation, j.asked)}
	id := j.w.ID
	if j.w.Operation == "create" {
		r.Status = http.StatusCreated
		if err := j.newKey(ctx); err != nil {
			return r, err
		}
	}
	if r.DeleteMode == "hard" || r.DeleteMode == "soft" {
		r.Status = http.StatusNoContent
		if err := j.gone(ctx, r.DeleteMode); err != nil {
			return r, err
		}
	} else if j.last != nil {
		r.Record = j.last.one(j.row)
	} else {
		var err error
		if r.Record, err = j.readBack(ctx); err != nil {
			return r, err
		}
		id = r.Record.ID
	}
	if j.p.Inbox != nil && j.w.IdempotencyKey != "" {
		return r, j.inbox(ctx, j.p.Inbox.Finish, id)
	}
	return r, nil
}

func (j *job) view() *view { return j.t.newView(nil, j.w.Hidden, false, j.w.Permits) }

// commit makes the effects last. Where it fails and the system may have had the word, the outcome is unknown.
func (j *job) commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return j.failed(ctx, err)
	}
	err := j.tx.Commit(ctx)
	if err == nil {
		return nil
	}
	failure, told := errors.AsType[*connectors.Failure](err)
	if told && !failure.Sent && j.e.conn.Atomic() {
		return j.failed(ctx, err)
	}
	return j.unknown(j.e.fault(ctx, j.at, err))
}

func (j *job) unknown(f *fault.Error) *fault.Error {
	f.Ended(fault.Unknown)
	if j.recognised() {
		return f.Advise("Send it again with the same Idempotency-Key: the system can tell whether it happened.")
	}
	return f.Advise("Look into the system before you send it again: it may have happened.")
}

// failed says what became of a write that did not come to its commit.
func (j *job) failed(ctx context.Context, err error) error {
	f := j.e.fault(ctx, j.at, err)
	failure, bySystem := errors.AsType[*connectors.Failure](err)
	if !j.e.conn.Atomic() && (j.changed && !j.ignored || bySystem && failure.Sent && failure.Kind != connectors.Answered) {
		return j.unknown(f) // what was done stays done
	}
	answered := !bySystem || failure.Kind == connectors.Answered
	switch {
	case f.Hop == fault.HopPolicy, f.Hop == fault.HopNetwork: // the system was not reached at all
		return f.Ended(fault.NotSent)
	case f.Retryable, !answered, f.Scope == fault.ScopeConnection, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return f.Ended(fault.NotSent) // nothing stays of it: the same key may run again
	}
	return f.Ended(fault.Rejected)
}
