package engine

import (
	"context"
	"slices"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/wire"
)

// maxDiscovered bounds the columns of one entity.
const maxDiscovered = 500

// Discover finds the columns that an entity's records have beyond those that the definition maps. It tells of no record's values.
// Where nothing can be discovered, the answer says why.
func (e *Engine) Discover(ctx context.Context, entity string) (wire.DiscoveredEntity, error) {
	at := place{entity: entity, operation: "discover"}
	t, err := e.table(entity, at.operation)
	if err != nil {
		return wire.DiscoveredEntity{}, err
	}
	out := wire.DiscoveredEntity{OverlayCapability: t.overlayCapability(), Columns: []wire.DiscoveredColumn{}}
	discoverer, can := e.conn.(connectors.Discoverer)
	if !out.Allowed || !can {
		return out, nil
	}
	found, err := discoverer.Discover(ctx, connectors.Discovery{
		Statement: t.Table.Discover, List: t.Bare, Vars: e.vars(), Used: t.Used(), Limit: maxDiscovered,
	})
	if err != nil {
		return out, e.fault(ctx, at, err)
	}
	out.Records, out.More = found.Records, found.More
	for _, c := range found.Columns {
		out.Columns = append(out.Columns, t.discovered(c))
	}
	return out, nil
}

func (t *table) discovered(c connectors.Found) wire.DiscoveredColumn {
	out := wire.DiscoveredColumn{Name: c.Name, NativeType: c.Type, Native: c.Native, Title: c.Title, ReadOnly: c.ReadOnly, Filled: c.Filled}
	if !definition.ColumnName(c.Name) {
		out.Native = ""
	}
	for _, kind := range definition.Types(out.Native) {
		out.Types = append(out.Types, string(kind))
	}
	if i := slices.IndexFunc(t.custom, func(k *column) bool { return k.Discovered == c.Name }); i >= 0 {
		out.CustomField = t.custom[i].Name
	}
	return out
}

// overlayCapability tells what an overlay can add.
func (t *table) overlayCapability() wire.OverlayCapability {
	out := wire.OverlayCapability{Verdict: wire.Verdict{Allowed: t.Room.Readable}, Writable: t.Room.Writable}
	if !out.Allowed {
		out.DeniedBy, out.Reason = wire.ByDefinition, "An overlay has no place here: "+t.Room.Reason+"."
	}
	return out
}
