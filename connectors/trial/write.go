package trial

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"gantry/connectors/engine"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// writes tries what can be tried of writes: dry runs, and what the caller gave a record for.
func (x *subject) writes() {
	create, update := x.capabilities.Operations["create"], x.capabilities.Operations["update"]
	if required := x.required(); create.Allowed && len(required) > 0 {
		x.check(x.name, "missing field", func(ctx context.Context) verdict { return x.missing(ctx, required) })
	}
	if update.Allowed && slices.ContainsFunc(x.capabilities.Rules, func(r wire.RuleCapability) bool { return slices.Contains(r.On, "update") }) {
		x.check(x.name, "locked record", x.locked)
	}
	if body, given := x.options.Creates[x.name]; given && create.Allowed {
		x.check(x.name, "create twice with one key", func(ctx context.Context) verdict { return x.createTwice(ctx, create.Class, body) })
	}
}

// required lists the fields that a create must have.
func (x *subject) required() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(x.capabilities.Fields)) {
		if slices.Contains(x.capabilities.Fields[name].Required, "create") {
			names = append(names, name)
		}
	}
	return names
}

// missing creates a record without its required fields, as a dry run.
func (x *subject) missing(ctx context.Context, required []string) verdict {
	_, err := x.engine.Write(ctx, engine.Write{Entity: x.name, Operation: "create", Body: map[string]any{}, DryRun: true, Now: time.Now()})
	if v := wants(err, fault.FieldRequired, fault.ValidationFailed); v.status != Passed {
		return v
	}
	named := map[string]bool{}
	for _, f := range fault.From(err, fault.HopAgent).Fields {
		named[f.Name] = true
	}
	for _, name := range required {
		if !named[name] {
			return failed("%s is required, and the refusal does not name it", name)
		}
	}
	return passed("refused, naming %s", strings.Join(required, ", "))
}

// locked looks for a record that a rule keeps from being updated, by dry runs.
func (x *subject) locked(ctx context.Context) verdict {
	field := x.updatable()
	if field == "" {
		return skipped("no plain field can be updated")
	}
	tried := 0
	for _, r := range x.records {
		var value any
		if json.Unmarshal(r[field], &value) != nil || value == nil {
			continue
		}
		if tried++; tried > lockedTries {
			break
		}
		_, err := x.engine.Write(ctx, engine.Write{
			Entity: x.name, Operation: "update", ID: r.id(), Body: map[string]any{field: value}, DryRun: true, Now: time.Now(),
		})
		if fault.Is(err, fault.RecordLocked) || fault.Is(err, fault.BusinessRule) {
			return passed("record %s: %s", r.id(), said(err))
		}
	}
	return skipped("no rule locks any of the %d records that were tried", min(tried, lockedTries))
}

// updatable names a field that an update may set to a text.
func (x *subject) updatable() string {
	for _, name := range slices.Sorted(maps.Keys(x.capabilities.Fields)) {
		f := x.capabilities.Fields[name]
		if slices.Contains(f.Writable, "update") && f.Type == "string" {
			return name
		}
	}
	return ""
}

// createTwice sends the same record twice under one key, as after an answer that was lost.
func (x *subject) createTwice(ctx context.Context, class string, body map[string]any) verdict {
	if class == "opaque" {
		return skipped("an opaque write cannot be recognised again")
	}
	w := engine.Write{Entity: x.name, Operation: "create", Body: body, IdempotencyKey: "trial-" + rand.Text(), Now: time.Now()}
	first, err := x.engine.Write(ctx, w)
	if err != nil {
		return failed("the first time: %s", said(err))
	}
	second, err := x.engine.Write(ctx, w)
	switch {
	case fault.Is(err, fault.Duplicate):
		return passed("record %s; the second try is DUPLICATE", first.Record.ID)
	case err != nil:
		return failed("record %s was created; the second try: %s", first.Record.ID, said(err))
	case second.Record.ID != first.Record.ID:
		return failed("two records were created: %s and %s", first.Record.ID, second.Record.ID)
	}
	return passed("record %s, both times", first.Record.ID)
}
