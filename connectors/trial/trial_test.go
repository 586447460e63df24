package trial_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/demoplant"
	"gantry/connectors/engine"
	sqldriver "gantry/connectors/sql"
	"gantry/connectors/trial"
	"gantry/tunnel/fault"
)

// demo is the demo plant's definition, the caller's own.
func demo(t *testing.T) *definition.Definition {
	t.Helper()
	set, err := definition.Load(catalogue.FS)
	if set == nil {
		t.Fatal(err)
	}
	return set.Lookup("demo-plant")
}

// open gives the engine of a real database, the demo plant's.
func open(t *testing.T) *engine.Engine {
	t.Helper()
	file := filepath.Join(t.TempDir(), "plant.db")
	if err := demoplant.Create(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	program, err := definition.Compile(demo(t), []connectors.Driver{sqldriver.Driver{}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(t.Context(), program, engine.Options{
		Connection: "trial", CursorKey: make([]byte, 32), Settings: map[string]any{"path": file, "timezone": "Europe/Stockholm"},
		OpenPath: func(path string) (string, error) { return path, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestDemoPlantHolds(t *testing.T) {
	results := trial.Run(t.Context(), open(t), trial.Options{
		Definition: demo(t),
		Creates:    map[string]map[string]any{"service-requests": {"title": "Trial"}},
		Refused:    func(context.Context) error { return fault.New(fault.CredentialsExpired, "The login is refused.") },
	})
	seen := map[string]bool{}
	for _, r := range results {
		if seen[r.Check] = true; r.Status == trial.Failed {
			t.Errorf("%s, %s: %s", r.Entity, r.Check, r.Detail)
		}
	}
	for _, name := range []string{"login", "wrong password", "list", "paging", "columns", "mapping", "incremental", "filters", "cancelled call", "get",
		"unknown record", "missing field", "locked record", "create twice with one key"} {
		if !seen[name] {
			t.Errorf("nothing was tried of %q", name)
		}
	}
}

func TestAColumnThatIsNotThere(t *testing.T) {
	d := demo(t)
	d.Entities["vendors"].Fields["name"].From = "vend_nmae"
	for _, r := range trial.Run(t.Context(), open(t), trial.Options{Definition: d, Entities: []string{"vendors"}}) {
		if failed := r.Status == trial.Failed; failed != (r.Check == "columns") || failed && r.Detail != "the records have no column vend_nmae (of name)" {
			t.Errorf("%s: %s %s", r.Check, r.Status, r.Detail)
		}
	}
}

// spoilt is an engine that does not keep one of its promises.
type spoilt struct {
	*engine.Engine
	list   func(engine.Query, engine.Page) engine.Page
	stream func(engine.Query, []byte) []byte // nil: leave the line out
	get    func(engine.Record, error) (engine.Record, error)
	write  func(engine.Result, error) (engine.Result, error)
}

func (s spoilt) List(ctx context.Context, entity string, q engine.Query) (engine.Page, error) {
	page, err := s.Engine.List(ctx, entity, q)
	if s.list != nil && err == nil {
		page = s.list(q, page)
	}
	return page, err
}

func (s spoilt) Stream(ctx context.Context, entity string, q engine.Query, line func([]byte) error) (int, error) {
	return s.Engine.Stream(ctx, entity, q, func(raw []byte) error {
		if s.stream != nil {
			if raw = s.stream(q, raw); raw == nil {
				return nil
			}
		}
		return line(raw)
	})
}

func (s spoilt) Get(ctx context.Context, entity, id string, q engine.Query) (engine.Record, error) {
	r, err := s.Engine.Get(ctx, entity, id, q)
	if s.get != nil {
		return s.get(r, err)
	}
	return r, err
}

func (s spoilt) Write(ctx context.Context, w engine.Write) (engine.Result, error) {
	r, err := s.Engine.Write(ctx, w)
	if s.write != nil {
		return s.write(r, err)
	}
	return r, err
}

func TestWhatDoesNotHoldIsSeen(t *testing.T) {
	e := open(t)
	lines := 0
	for name, test := range map[string]struct {
		spoilt spoilt
		check  string
	}{
		"a page repeats a record": {spoilt{list: func(_ engine.Query, p engine.Page) engine.Page {
			p.Data = slices.Concat(p.Data, p.Data[:1])
			return p
		}}, "paging"},
		"a page loses a record": {spoilt{list: func(q engine.Query, p engine.Page) engine.Page {
			if q.Params.Has("cursor") {
				p.Data = p.Data[1:]
			}
			return p
		}}, "paging"},
		"the stream is empty": {spoilt{stream: func(engine.Query, []byte) []byte { return nil }}, "paging"},
		"a filter lets others through": {spoilt{stream: func(q engine.Query, raw []byte) []byte {
			if q.Params.Has("code") {
				return []byte(`{"id": "0", "code": "other"}`)
			}
			return raw
		}}, "filters"},
		"a filter finds nothing": {spoilt{stream: func(q engine.Query, raw []byte) []byte {
			if q.Params.Has("code") {
				return nil
			}
			return raw
		}}, "filters"},
		"what is old comes again": {spoilt{stream: func(q engine.Query, raw []byte) []byte {
			if q.Params.Has("modified_after") {
				return []byte(`{"id": "0", "updated_at": "1999-01-01T00:00:00Z"}`)
			}
			return raw
		}}, "incremental"},
		"what is new does not come": {spoilt{stream: func(q engine.Query, raw []byte) []byte {
			if q.Params.Has("modified_after") {
				if lines++; lines > 3 {
					return nil
				}
			}
			return raw
		}}, "incremental"},
		"a status is not mapped": {spoilt{list: func(_ engine.Query, p engine.Page) engine.Page {
			for i, r := range p.Data {
				p.Data[i].JSON = fmt.Appendf(nil, `{"_warnings": [{"field": "status", "code": "UNMAPPED"}], %s`, r.JSON[1:])
			}
			return p
		}}, "mapping"},
		"a record alone is another": {spoilt{get: func(r engine.Record, err error) (engine.Record, error) {
			if err == nil {
				r.JSON = []byte(`{"id": "1"}`)
			}
			return r, err
		}}, "get"},
		"what is not there is an internal error": {spoilt{get: func(r engine.Record, err error) (engine.Record, error) {
			if err != nil {
				err = errors.New("no rows")
			}
			return r, err
		}}, "unknown record"},
		"a missing field is not refused": {spoilt{write: func(r engine.Result, _ error) (engine.Result, error) { return r, nil }}, "missing field"},
	} {
		t.Run(name, func(t *testing.T) {
			test.spoilt.Engine = e
			entity := "assets"
			if test.check == "missing field" {
				entity = "work-orders"
			}
			var failed []string
			for _, r := range trial.Run(t.Context(), test.spoilt, trial.Options{Entities: []string{entity}}) {
				if r.Status == trial.Failed {
					failed = append(failed, r.Check)
				}
			}
			if !slices.Contains(failed, test.check) {
				t.Errorf("failed are %v, and not %q", failed, test.check)
			}
		})
	}
}

func TestNothingFollowsARefusedLogin(t *testing.T) {
	e := open(t)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	results := trial.Run(t.Context(), e, trial.Options{})
	if len(results) != 1 || results[0].Check != "login" || results[0].Status != trial.Failed {
		t.Errorf("%+v", results)
	}
}
