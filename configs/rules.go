package configs

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Rate is a number of calls in a span of time. The zero Rate is no cap.
type Rate struct {
	Calls int
	Per   time.Duration
}

var errRate = errors.New("is no rate")

// ParseRate reads `20/s`, `600/m` or `5000/h`; an empty text is no cap.
func ParseRate(s string) (Rate, error) {
	if s == "" {
		return Rate{}, nil
	}
	number, unit, _ := strings.Cut(s, "/")
	calls, err := strconv.Atoi(number)
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if err != nil || calls < 1 || calls > math.MaxInt32 || per == 0 {
		return Rate{}, errRate
	}
	return Rate{Calls: calls, Per: per}, nil
}

// PerSecond gives the rate in calls a second; infinity where there is no cap.
func (r Rate) PerSecond() float64 {
	if r.Calls == 0 {
		return math.Inf(1)
	}
	return float64(r.Calls) / r.Per.Seconds()
}

// Operation is one pattern of an operations list: an operation or action, on one entity or on every one.
type Operation struct {
	Entity string // `*`: every
	Name   string // list, get, create, update, delete, or an action; `*`: every
}

var errOperation = errors.New("is no operation")

// ParseOperation reads `list`, `purchase-orders:create`, `*:approve` or `purchase-orders:*`.
func ParseOperation(s string) (Operation, error) {
	o := Operation{Entity: "*", Name: s}
	if entity, name, both := strings.Cut(s, ":"); both {
		o = Operation{Entity: entity, Name: name}
	}
	if !validName(o.Entity) || !validName(o.Name) {
		return Operation{}, errOperation
	}
	return o, nil
}

// Covers reports whether the pattern holds for an operation on an entity.
func (o Operation) Covers(entity, operation string) bool {
	return (o.Entity == "*" || o.Entity == entity) && (o.Name == "*" || o.Name == operation)
}

// String gives the pattern as ParseOperation reads it.
func (o Operation) String() string {
	if o.Entity == "*" {
		return o.Name
	}
	return o.Entity + ":" + o.Name
}

// DeniedField is one pattern of deny_fields: a field of one entity or of every one.
type DeniedField struct {
	Entity string // `*`: every
	Path   string // of the field, dots between levels: lines.price
}

var errField = errors.New("is no field")

// ParseField reads `purchase-orders.price`, `*.tax_id` or `purchase-orders.lines.price`.
func ParseField(s string) (DeniedField, error) {
	entity, path, both := strings.Cut(s, ".")
	if !both || !validName(entity) {
		return DeniedField{}, errField
	}
	for part := range strings.SplitSeq(path, ".") {
		if part == "*" || !validName(part) {
			return DeniedField{}, errField
		}
	}
	return DeniedField{Entity: entity, Path: path}, nil
}

// Covers reports whether the field at path is the pattern's, or inside of it.
func (f DeniedField) Covers(entity, path string) bool {
	return (f.Entity == "*" || f.Entity == entity) && (path == f.Path || strings.HasPrefix(path, f.Path+"."))
}

// validName takes the names of systems, entities, operations and fields, and `*`.
func validName(s string) bool {
	if s == "*" {
		return true
	}
	return s != "" && len(s) <= 100 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && !alphanumeric(r)
	})
}

// validate checks rules that stand at path: `policy`, or `policy.connections.NAME`.
func (r *Rules) validate(path string, report *Report) {
	each(report, path+".systems", r.Systems, "a system's id, such as `demo-plant`", named)
	each(report, path+".deny_systems", r.DenySystems, "a system's id, such as `demo-plant`", named)
	each(report, path+".entities", r.Entities, "an entity, such as `purchase-orders`", named)
	each(report, path+".deny_entities", r.DenyEntities, "an entity, such as `purchase-orders`", named)
	each(report, path+".operations", r.Operations, operationFix, operation)
	each(report, path+".deny_operations", r.DenyOperations, operationFix, operation)
	each(report, path+".deny_fields", r.DenyFields, "entity.field, as `purchase-orders.price` or `*.tax_id`", field)
	if _, err := ParseRate(r.Rate); err != nil {
		report.Reject(path+".rate", "Write calls per second, minute or hour, as `20/s`, `600/m` or `5000/h`", "%q %v", clip(r.Rate), err)
	}
	if r.MaxRows < 0 {
		report.Reject(path+".max_rows", "Write 0 for no cap", "cannot be negative")
	}
	each(report, path+".quiet_hours", r.QuietHours, "hours, as `22:00-04:00`, `Mon-Fri 11:30-12:15` or `Sat,Sun 00:00-24:00`", quiet)
	if r.Concurrency < 0 {
		report.Reject(path+".concurrency", "Write 0 for no cap", "cannot be negative")
	}
}

const operationFix = "an operation, as `list`, `purchase-orders:create` or `*:approve`"

// each rejects the members of a list that the check refuses.
func each(report *Report, path string, members []string, form string, check func(string) error) {
	for i, member := range members {
		if err := check(member); err != nil {
			report.Reject(fmt.Sprintf("%s[%d]", path, i), "Write "+form, "%q %v", clip(member), err)
		}
	}
}

func named(s string) error {
	if validName(s) && s != "*" {
		return nil
	}
	return errors.New("is no name; leave the list empty to allow every one")
}

func quiet(s string) error { _, err := ParseQuiet(s); return err }

func operation(s string) error { _, err := ParseOperation(s); return err }

const passthroughFix = "a verb and a path, as `GET /api/orders/*` or `POST /api/**`, or a method, as `READ model.party.party.*` or `CALL model.x.y`"

func passthrough(s string) error { _, err := ParsePassthrough(s); return err }

func field(s string) error { _, err := ParseField(s); return err }
