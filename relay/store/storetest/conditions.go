package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"gantry/relay/store"
)

func testConditions(t *testing.T, b *bench) {
	ctx, p, other := t.Context(), b.plant(5), b.plant(5)
	first := b.active(p, 1, "first")
	b.pass(time.Second)
	second := b.active(other, 1, "second")
	b.pass(time.Second)
	got(b.ReserveConnection(ctx, p.connection(1))).or(t)
	ended := got(b.Disconnect(ctx, p.organisation, b.active(p, 1, "ended").ID, note)).or(t)
	second = got(b.PauseConnection(ctx, other.organisation, second.ID, note)).or(t)

	told := store.Condition{ConnectionID: first.ID, State: "degraded", Since: b.now(), Reauth: true, Matrix: json.RawMessage(`{"a":1}`)}
	is(t, "none", b.SaveConditions(ctx), nil)
	is(t, "save", b.SaveConditions(ctx, told, store.Condition{ConnectionID: ended.ID, State: "active"}, store.Condition{ConnectionID: "con_0"}), nil)
	want := []store.ConnectionCondition{
		{Connection: first, Condition: told}, {Connection: second, Condition: store.Condition{ConnectionID: second.ID}},
	}
	same(t, "all", want, got(b.Conditions(ctx, store.Page{})).or(t))
	same(t, "a page", want[1:], got(b.Conditions(ctx, store.Page{After: first.ID, Limit: 1})).or(t))

	want[0].Condition = store.Condition{ConnectionID: first.ID, State: "active"}
	is(t, "save again", b.SaveConditions(ctx, want[0].Condition), nil)
	same(t, "saved again", want, got(b.Conditions(ctx, store.Page{})).or(t))
}
