//go:build systems

package house

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/engine"
	"gantry/tunnel/fault"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"
)

// The PocketBase that `make systems` starts, and its database: the second path by which every write is looked at.
const (
	pocketAddress = "http://127.0.0.1:18090"
	pocketSQL     = "file:../.systems/pocketbase/data/data.db?mode=ro&_pragma=busy_timeout(10000)"
)

// pocketbase is a desk at PocketBase, with the database beside it.
type pocketbase struct {
	*desk
	db *sql.DB
}

func pocketTarget(collection, password string) connectors.Target {
	return connectors.Target{
		Settings:    map[string]any{"address": pocketAddress, "collection": collection, "username": "agent@example.com"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret(password)}, Dial: dialDirect,
	}
}

func openPocketBase(t *testing.T) *pocketbase {
	t.Helper()
	db, err := sql.Open("sqlite", pocketSQL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatalf("there is no PocketBase with its database; run `make systems`: %v", err)
	}
	return &pocketbase{openDesk(t, "pocketbase", pocketTarget("users", "Agent-pw-2026")), db}
}

func (p *pocketbase) column(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := p.db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := []string{}
	for rows.Next() {
		var one sql.NullString
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		out = append(out, one.String)
	}
	slices.Sort(out)
	return out
}

func (p *pocketbase) scan(t *testing.T, query string, args ...any) string {
	t.Helper()
	rows := p.column(t, query, args...)
	if len(rows) != 1 {
		t.Fatalf("%s: %d rows", query, len(rows))
	}
	return rows[0]
}

// unique is a text that no earlier run has used.
func unique(prefix string) string { return fmt.Sprintf("%s-%d", prefix, time.Now().UnixNano()) }

func TestPocketBaseReads(t *testing.T) {
	p := openPocketBase(t)
	if _, err := p.engine.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	asset := p.scan(t, "SELECT id FROM assets WHERE code = 'A-503'")
	for _, test := range []struct{ entity, query, sql string }{
		{"vendors", "limit=5", "SELECT id FROM vendors"},
		{"vendors", "code=V10003&code=V10004", "SELECT id FROM vendors WHERE code IN ('V10003', 'V10004')"},
		{"vendors", "name=Lieferant+Gr%C3%B6%C3%9Fe+4+%26+S%C3%B6hne%27s", "SELECT id FROM vendors WHERE code = 'V10004'"},
		{"vendors", "name=%27+%7C%7C+1+%3D+1+%7C%7C+name+%3D+%27", "SELECT id FROM vendors WHERE 1 = 0"},
		{"vendors", "blocked=true", "SELECT id FROM vendors WHERE blocked"},
		{"items", "limit=7", "SELECT id FROM items"},
		{"assets", "limit=500", "SELECT id FROM assets"},
		{"assets", "manufacturer=KSB&limit=3", "SELECT id FROM assets WHERE manufacturer = 'KSB'"},
		{"work-orders", "limit=3", "SELECT id FROM work_orders"},
		{"work-orders", "status=completed&status=cancelled", "SELECT id FROM work_orders WHERE status IN ('completed', 'cancelled')"},
		{"work-orders", "asset_id=" + asset, "SELECT id FROM work_orders WHERE asset = '" + asset + "'"},
		{"purchase-orders", "limit=2", "SELECT id FROM purchase_orders"},
		{"purchase-orders", "vendor_id=nobody", "SELECT id FROM purchase_orders WHERE vendor = 'nobody'"},
	} {
		got := idsOf(list(t, p.desk, test.entity, test.query))
		if diff := cmp.Diff(p.column(t, test.sql), got); diff != "" {
			t.Errorf("%s?%s (-SQL +API):\n%s", test.entity, test.query, diff)
		}
	}
	items := list(t, p.desk, "items", "number=IT-107")
	expect(t, items[0], map[string]any{"unit_cost": "7.49", "unit": "C62"})
	assets := list(t, p.desk, "assets", "code=A-503")
	expect(t, assets[0], map[string]any{"commissioned_at": "2003-03-29T00:00:00Z"})
	orders := list(t, p.desk, "purchase-orders", "")
	for _, o := range orders {
		var lines []map[string]any
		raw := p.scan(t, "SELECT lines FROM purchase_orders WHERE id = ?", o["id"])
		if err := json.Unmarshal([]byte(raw), &lines); err != nil {
			t.Fatal(err)
		}
		for i, line := range lines {
			expect(t, o, map[string]any{fmt.Sprintf("lines.%d.price", i): line["price"], fmt.Sprintf("lines.%d.item_id", i): line["item"]})
		}
	}
}

func TestPocketBaseReadsWhatChanged(t *testing.T) {
	p := openPocketBase(t)
	before := p.scan(t, "SELECT max(updated) FROM work_orders")
	at, err := time.Parse("2006-01-02 15:04:05.000Z", before)
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for i := range 3 {
		made = append(made, p.must(t, engine.Write{Entity: "work-orders", Operation: "create"}, fmt.Sprintf(`{"title":"changed %d"}`, i))["id"].(string))
	}
	slices.Sort(made)
	got := idsOf(list(t, p.desk, "work-orders", "limit=2&modified_after="+at.Format(time.RFC3339Nano)))
	if diff := cmp.Diff(made, got); diff != "" {
		t.Errorf("after %s (-made +read):\n%s", before, diff)
	}
}

func TestPocketBaseWrites(t *testing.T) {
	p := openPocketBase(t)
	vendor, item := p.scan(t, "SELECT id FROM vendors WHERE code = 'V10002'"), p.scan(t, "SELECT id FROM items WHERE number = 'IT-105'")
	key := unique("desk")
	create := engine.Write{Entity: "purchase-orders", Operation: "create", IdempotencyKey: key}
	body := fmt.Sprintf(`{"title":"Größe 4's","vendor_id":%q,"ordered_at":"2026-03-29T02:30:00+02:00","currency":"EUR","lines":[
		{"item_id":%q,"quantity":"13.050","price":"90071992547409.91"},{"item_id":%[2]q,"quantity":"1","price":"4.35","description":"x"}]}`, vendor, item)
	made := p.must(t, create, body)
	id := made["id"].(string)
	expect(t, made, map[string]any{"status.value": "draft", "ordered_at": "2026-03-29T00:30:00Z", "lines.0.price": "90071992547409.91", "lines.1.line": 2.0})
	again := p.must(t, create, body)
	expect(t, again, map[string]any{"id": id})
	if diff := cmp.Diff([]string{id}, p.column(t, "SELECT id FROM purchase_orders WHERE external_ref = ?", key)); diff != "" {
		t.Errorf("orders of one key (-API +SQL):\n%s", diff)
	}
	for column, want := range map[string]string{"title": "Größe 4's", "ordered_at": "2026-03-29 00:30:00.000Z", "vendor": vendor,
		"json_extract(lines, '$[0].price')": "90071992547409.91", "json_extract(lines, '$[0].quantity')": "13.050", "json_array_length(lines)": "2"} {
		if got := p.scan(t, "SELECT "+column+" FROM purchase_orders WHERE id = ?", id); got != want {
			t.Errorf("%s is %q in the database, not %q", column, got, want)
		}
	}

	on := func(operation string) engine.Write {
		return engine.Write{Entity: "purchase-orders", Operation: operation, ID: id}
	}
	stale := on("update")
	stale.IfMatch = made["etag"].(string)
	changed := p.must(t, on("update"), `{"title":"second"}`)
	if p.scan(t, "SELECT title FROM purchase_orders WHERE id = ?", id) != "second" || changed["etag"] == made["etag"] {
		t.Errorf("after the update: %v", changed)
	}
	p.refuses(t, fault.PreconditionFailed, stale, `{"title":"third"}`)
	p.must(t, on("update"), fmt.Sprintf(`{"lines":[{"item_id":%q,"quantity":"2","price":"1.10"}]}`, item))
	if n := p.scan(t, "SELECT json_array_length(lines) FROM purchase_orders WHERE id = ?", id); n != "1" {
		t.Errorf("%s lines after the update", n)
	}
	expect(t, p.must(t, on("send"), ""), map[string]any{"status.value": "sent"})
	p.refuses(t, fault.RecordLocked, on("update"), `{"title":"late"}`)
	p.refuses(t, fault.RecordLocked, on("send"), "")
	if status := p.scan(t, "SELECT status FROM purchase_orders WHERE id = ?", id); status != "sent" {
		t.Errorf("the status is %s in the database", status)
	}

	order := p.must(t, engine.Write{Entity: "work-orders", Operation: "create"}, `{"title":"to go"}`)["id"].(string)
	gone := engine.Write{Entity: "work-orders", Operation: "delete", ID: order}
	if _, err := p.engine.Write(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if n := p.scan(t, "SELECT count(*) FROM work_orders WHERE id = ?", order); n != "0" {
		t.Error("the deleted record is still there")
	}
	p.refuses(t, fault.NotFound, gone, "")
}

// TestPocketBaseGuardsAChange: a change that somebody else makes between our read and our write is not overwritten: the
// collection's rule compares the version that the request names.
func TestPocketBaseGuardsAChange(t *testing.T) {
	p := openPocketBase(t)
	id := p.must(t, engine.Write{Entity: "work-orders", Operation: "create"}, `{"title":"mine"}`)["id"].(string)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, pocketAddress+"/api/collections/work_orders/records/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("If-Match", "2026-01-01 00:00:00.000Z")
	request.Header.Set("Authorization", pocketToken(t))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if n := p.scan(t, "SELECT count(*) FROM work_orders WHERE id = ?", id); answer.StatusCode != http.StatusNotFound || n != "1" {
		t.Errorf("a delete of another version: %d, and %s records are left", answer.StatusCode, n)
	}
}

func pocketToken(t *testing.T) string {
	t.Helper()
	var login struct{ Token string }
	body := strings.NewReader(`{"identity":"agent@example.com","password":"Agent-pw-2026"}`)
	answer, err := http.Post(pocketAddress+"/api/collections/users/auth-with-password", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&login); err != nil || login.Token == "" {
		t.Fatalf("no login: %v", err)
	}
	return login.Token
}

// TestPocketBaseSaysWhichField: what PocketBase says of single fields reaches the caller under our names.
func TestPocketBaseSaysWhichField(t *testing.T) {
	p := openPocketBase(t)
	_, err := p.write(t, engine.Write{Entity: "purchase-orders", Operation: "create"}, `{"vendor_id":"aaaaaaaaaaaaaaa","lines":[{"item_id":"x","quantity":"1","price":"1"}]}`)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.ValidationFailed || f.Outcome != fault.Rejected || len(f.Fields) != 1 || f.Fields[0].Name != "vendor_id" {
		t.Errorf("got %+v", f)
	}
	code := p.scan(t, "SELECT code FROM vendors ORDER BY code LIMIT 1")
	_, err = p.write(t, engine.Write{Entity: "vendors", Operation: "create"}, fmt.Sprintf(`{"code":%q,"name":"twice"}`, code))
	f, ok = errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.Duplicate || len(f.Fields) != 1 || f.Fields[0].Name != "code" {
		t.Errorf("got %+v", f)
	}
}

// TestPocketBaseRefusesALogin: one wrong password is tried once, and a user of another collection is none of this.
func TestPocketBaseRefusesALogin(t *testing.T) {
	d := openDesk(t, "pocketbase", pocketTarget("users", "wr0ng"))
	for range 3 {
		if _, err := d.engine.Check(t.Context()); !fault.Is(err, fault.CredentialsExpired) {
			t.Errorf("got %v", err)
		}
		if _, err := d.engine.List(t.Context(), "items", engine.Query{}); !fault.Is(err, fault.CredentialsExpired) {
			t.Errorf("got %v", err)
		}
	}
}

// TestPocketBaseLoginEnds: logins of this collection last ten seconds. A list that is read with one that has ended would be
// 200 and empty.
func TestPocketBaseLoginEnds(t *testing.T) {
	p := openPocketBase(t)
	d := openDesk(t, "pocketbase", pocketTarget("shifts", "Agent-pw-2026"))
	want := p.column(t, "SELECT id FROM work_orders")
	for began := time.Now(); time.Since(began) < 25*time.Second; {
		var got []string
		if _, err := d.engine.Stream(t.Context(), "work-orders", engine.Query{}, func(line []byte) error {
			var record struct{ ID string }
			if err := json.Unmarshal(line, &record); err != nil {
				return err
			}
			got = append(got, record.ID)
			return nil
		}); err != nil {
			t.Fatalf("after %s: %v", time.Since(began), err)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("after %s (-SQL +API):\n%s", time.Since(began), diff)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// TestPocketBaseThroughTheHouse takes the whole road: relay, tunnel, agent, PocketBase.
func TestPocketBaseThroughTheHouse(t *testing.T) {
	system := openPocketBase(t)
	p := open(t)
	p.allow("target", "127.0.0.1:18090")
	p.allow("writes")
	client, _ := p.connect(login{System: "pocketbase", Name: "workshop", Credentials: map[string]string{"password": "Agent-pw-2026"},
		Settings: map[string]any{"address": pocketAddress, "username": "agent@example.com"}})
	key := Header{"Idempotency-Key", unique("house")}
	var made struct{ ID string }
	body := json.RawMessage(`{"title":"From the cloud","due_at":"2026-08-01T06:30:00Z"}`)
	p.expect(client, http.MethodPost, "/work-orders", body, 201, &made, key)
	p.expect(client, http.MethodPost, "/work-orders", body, 201, nil, key)
	if ids := system.column(t, "SELECT id FROM work_orders WHERE external_ref = ?", key[1]); len(ids) != 1 || ids[0] != made.ID {
		t.Errorf("the database has %v, the answer %s", ids, made.ID)
	}
	p.expect(client, http.MethodPatch, "/work-orders/"+made.ID, map[string]any{"title": "Changed"}, 200, nil)
	p.expect(client, http.MethodPost, "/work-orders/"+made.ID+"/actions/approve", map[string]any{}, 200, nil)
	if got := system.scan(t, "SELECT title || ' ' || status || ' ' || due_at FROM work_orders WHERE id = ?", made.ID); got != "Changed approved 2026-08-01 06:30:00.000Z" {
		t.Errorf("the database has %s", got)
	}
	count, err := client.Stream(t.Context(), "/work-orders", func([]byte) error { return nil })
	if want := system.scan(t, "SELECT count(*) FROM work_orders"); err != nil || fmt.Sprint(count) != want {
		t.Errorf("%d records by stream, %s in the database: %v", count, want, err)
	}
	p.expect(client, http.MethodDelete, "/work-orders/"+made.ID, nil, 204, nil)
	if n := system.scan(t, "SELECT count(*) FROM work_orders WHERE id = ?", made.ID); n != "0" {
		t.Error("the deleted record is still there")
	}
}
