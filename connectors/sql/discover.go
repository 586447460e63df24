package sqldriver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gantry/connectors"
)

// sampleRows is how many records are looked at to see which columns are in use.
const sampleRows = 20

// discovery is a definition's `discover`: the statement that lists a table's columns, and the table.
type discovery struct {
	*statement
	source *source
}

var _ connectors.Discoverer = (*conn)(nil)

// Params implements connectors.Statement: those of the table are the driver's own.
func (d *discovery) Params() []string {
	return slices.DeleteFunc(slices.Clone(d.params), func(p string) bool { return p == "table" || p == "schema" || p == "name" })
}

func compileDiscovery(d dialect, v any) (connectors.Statement, error) {
	discover, _ := v.(map[string]any)
	s, err := readSource(d, discover)
	if err != nil {
		return nil, err
	}
	if discover["sql"] == nil {
		return nil, errors.New("discover: no layer says with `sql` how the columns of a table are listed")
	}
	own, err := compile(d, map[string]any{"sql": discover["sql"]})
	if err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	return &discovery{own, s}, nil
}

// Discover implements connectors.Discoverer: the columns of the table, by the system's own catalogue, less those that the
// definition's fields come from.
func (c *conn) Discover(ctx context.Context, q connectors.Discovery) (connectors.Findings, error) {
	d, ok := q.Statement.(*discovery)
	if !ok {
		return connectors.Findings{}, connectors.Misuse("the statement was compiled by another driver: %T", q.Statement)
	}
	var out connectors.Findings
	for row, err := range c.Read(ctx, connectors.Read{Statement: d.statement, Vars: d.vars(q.Vars), OrderBy: []string{"position"}, Limit: 2000}) {
		if err != nil {
			return out, err
		}
		name := words(row["name"])
		switch {
		case slices.Contains(q.Used, strings.ToLower(name)):
		case len(out.Columns) == q.Limit:
			out.More = true
		default:
			out.Columns = append(out.Columns, d.found(name, row))
		}
	}
	return out, c.sample(ctx, d.source, &out)
}

// vars names the table to the statement.
func (d *discovery) vars(vars connectors.Vars) connectors.Vars {
	out := connectors.Vars{"table": d.source.table, "schema": nil, "name": d.source.table}
	if schema, name, qualified := strings.Cut(d.source.table, "."); qualified {
		out["schema"], out["name"] = schema, name
	}
	maps.Copy(out, vars)
	return out
}

func (d *discovery) found(name string, row connectors.Row) connectors.Found {
	f := connectors.Found{Name: name, Type: words(row["type"]), Title: words(row["title"]), Native: nativeOf(d.dialect, words(row["type"]))}
	if writable, told := row["writable"]; told && (writable == false || writable == int64(0) || writable == "0" || writable == "NO") {
		f.ReadOnly = true
	}
	if !d.source.carried(name) {
		f.Native = ""
	}
	return f
}

// words is a text of a catalogue, which some systems give as bytes.
func words(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// sample counts the records that have values. Of a table that cannot be read so, nothing is counted: its columns are still those
// that the catalogue tells.
func (c *conn) sample(ctx context.Context, s *source, out *connectors.Findings) error {
	var b strings.Builder
	for i, f := range out.Columns {
		if f.Native == "" {
			continue
		}
		name, err := s.column(f.Name)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%sx.%s AS %s", pick(b.Len() == 0, "SELECT ", ", "), name, s.dialect.quote(fmt.Sprintf("c%d", i)))
	}
	if b.Len() == 0 {
		return nil
	}
	statement, err := compile(s.dialect, map[string]any{"sql": b.String() + " FROM " + s.table + " x"})
	if err != nil {
		return connectors.Misuse("sample: %w", err)
	}
	for row, err := range c.Read(ctx, connectors.Read{Statement: statement, Limit: sampleRows}) {
		if failure, answered := errors.AsType[*connectors.Failure](err); answered && failure.Kind == connectors.Answered {
			c.logger.DebugContext(ctx, "records cannot be sampled", "table", s.table, "error", err)
			return nil
		}
		if err != nil {
			return err
		}
		out.Records++
		for i := range out.Columns {
			if v := row[fmt.Sprintf("c%d", i)]; v != nil && v != "" {
				out.Columns[i].Filled++
			}
		}
	}
	return nil
}
