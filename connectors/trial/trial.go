package trial

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/engine"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// Bounds of a trial.
const (
	DefaultRecords = 2000 // read of an entity, unless Options say otherwise
	pageSize       = 50   // small, so that there are many pages
	callTime       = time.Minute
	cancelTime     = 3 * time.Second // in which a cancelled call must end
	lockedTries    = 20              // records among which a locked one is looked for
)

// Engine runs the definition; *engine.Engine is one.
type Engine interface {
	Check(ctx context.Context) (connectors.SystemInfo, error)
	Capabilities() wire.Capabilities
	List(ctx context.Context, entity string, q engine.Query) (engine.Page, error)
	Stream(ctx context.Context, entity string, q engine.Query, line func([]byte) error) (int, error)
	Get(ctx context.Context, entity, id string, q engine.Query) (engine.Record, error)
	Write(ctx context.Context, w engine.Write) (engine.Result, error)
}

// Options say how far a trial goes.
type Options struct {
	Entities []string                  // only these; none: all
	Records  int                       // at most read of one entity; 0: DefaultRecords
	Creates  map[string]map[string]any // by entity: a record that may be created, as the API takes it
	// Definition, if given, is looked at for columns that the system's records do not have.
	Definition *definition.Definition
	// Refused logs in with a wrong secret; nil: not tried. Some systems lock an account after a few of those.
	Refused  func(ctx context.Context) error
	Progress func(Result) // after each check; nil: nobody waits
}

// Status is how a check ended.
type Status string

// The statuses.
const (
	Passed  Status = "pass"
	Failed  Status = "fail"
	Skipped Status = "skip" // it could not be tried, and Detail says why
)

// Result is one row of the table.
type Result struct {
	Entity string `json:"entity,omitempty"` // "": the connection as a whole
	Check  string `json:"check"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	MS     int64  `json:"ms"`
}

// verdict is what a check found.
type verdict struct {
	status Status
	detail string
}

func passed(format string, args ...any) verdict { return verdict{Passed, fmt.Sprintf(format, args...)} }
func failed(format string, args ...any) verdict { return verdict{Failed, fmt.Sprintf(format, args...)} }
func skipped(format string, args ...any) verdict {
	return verdict{Skipped, fmt.Sprintf(format, args...)}
}

// Run makes the trial. It goes on after a check that failed, as far as that makes sense, and ends early with ctx.
func Run(ctx context.Context, e Engine, o Options) []Result {
	if o.Records == 0 {
		o.Records = DefaultRecords
	}
	t := &trial{ctx: ctx, engine: e, options: o}
	if t.check("", "login", t.login).status != Passed {
		return t.results
	}
	if o.Refused != nil {
		t.check("", "wrong password", t.refused)
	}
	capabilities := e.Capabilities()
	for _, name := range slices.Sorted(maps.Keys(capabilities.Entities)) {
		if len(o.Entities) == 0 || slices.Contains(o.Entities, name) {
			t.entity(name, capabilities.Entities[name])
		}
	}
	return t.results
}

type trial struct {
	ctx     context.Context
	engine  Engine
	options Options
	results []Result
}

// check runs one check within its time, and notes how it ended.
func (t *trial) check(entity, name string, run func(context.Context) verdict) verdict {
	if err := t.ctx.Err(); err != nil {
		return skipped("the trial was ended")
	}
	ctx, cancel := context.WithTimeout(t.ctx, callTime)
	defer cancel()
	start := time.Now()
	v := run(ctx)
	r := Result{entity, name, v.status, v.detail, time.Since(start).Milliseconds()}
	t.results = append(t.results, r)
	if t.options.Progress != nil {
		t.options.Progress(r)
	}
	return v
}

func (t *trial) login(ctx context.Context) verdict {
	info, err := t.engine.Check(ctx)
	if err != nil {
		return failed("%s", said(err))
	}
	if info.Version == "" {
		return passed("the system does not tell its version")
	}
	return passed("%s", info.Version)
}

func (t *trial) refused(ctx context.Context) verdict {
	return wants(t.options.Refused(ctx), fault.CredentialsExpired)
}

// entity tries all that an entity offers.
func (t *trial) entity(name string, c wire.EntityCapabilities) {
	x := &subject{trial: t, name: name, capabilities: c}
	if c.Operations["list"].Allowed {
		if t.check(name, "list", x.list).status != Passed {
			return
		}
		t.check(name, "paging", x.paging)
		if t.options.Definition != nil {
			t.check(name, "columns", x.columns)
		}
		t.check(name, "mapping", x.mapping)
		if slices.Contains(c.Filters, "modified_after") {
			t.check(name, "incremental", x.incremental)
		}
		t.check(name, "filters", x.filters)
		t.check(name, "cancelled call", x.cancelled)
	}
	if c.Operations["get"].Allowed {
		t.check(name, "get", x.get)
		t.check(name, "unknown record", x.unknown)
	}
	x.writes()
}

// subject is one entity under trial.
type subject struct {
	*trial
	name         string
	capabilities wire.EntityCapabilities
	records      []record // as the pages gave them
	complete     bool     // these are all there are
}

// query asks for pages of the records.
func query(pairs ...string) engine.Query {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return engine.Query{Params: values}
}

// said is what a person reads of an error.
func said(err error) string {
	f := fault.From(err, fault.HopAgent)
	text := string(f.Code) + ": " + f.Detail
	if f.Source != nil && f.Source.Message != "" {
		text += " The system said: " + f.Source.Message
	}
	return text
}

// wants judges an error that had to come.
func wants(err error, codes ...fault.Code) verdict {
	if err == nil {
		return failed("nothing was refused; %s was due", codes[0])
	}
	if f := fault.From(err, fault.HopAgent); !slices.Contains(codes, f.Code) {
		return failed("%s; %s was due", said(err), codes[0])
	}
	return passed("%s", fault.From(err, fault.HopAgent).Code)
}
