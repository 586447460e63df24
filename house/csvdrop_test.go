package house

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/tunnel/fault"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
)

// exchange is a CSV drop through relay and agent. The test plays the ERP: it sees the folders from the other side.
type exchange struct {
	*plant
	folder string
	tick   time.Duration // how finely the server tells times
	client *Client
}

// TestCSVDrop is the drop in a folder of the agent's machine. Over SFTP and SMB it is in files_systems_test.go.
func TestCSVDrop(t *testing.T) {
	t.Parallel()
	p := open(t)
	folder := p.path("exchange")
	l := login{System: "csv-drop", Site: p.site, Name: "drop", Settings: map[string]any{"path": folder}}
	makeExchange(t, folder)
	p.refused(p.admin, http.MethodPost, "/connections", l, fault.Error{Code: fault.PolicyDenied, Hop: fault.HopPolicy, Scope: fault.ScopeConnection, Outcome: fault.NotSent})
	p.allow("path", folder)
	p.exchanges(t, folder, 50*time.Millisecond, l)
}

// TestXMLDrop sends an order as a file of XML, and reads it again from its copy.
func TestXMLDrop(t *testing.T) {
	p := open(t)
	folder := p.path("exchange")
	makeExchange(t, folder)
	p.allow("path", folder)
	p.allow("writes")
	client, _ := p.connect(login{System: "xml-drop", Site: p.site, Name: "drop", Settings: map[string]any{"path": folder, "encoding": "windows-1252", "timezone": "Europe/Berlin"}})
	x := &exchange{plant: p, folder: folder, client: client}
	order := map[string]any{"number": "4711/7", "vendor_id": "V1", "title": `Größe <"軸">`, "due_at": "2026-07-01T00:00:00+02:00", "lines": []any{
		map[string]any{"item_id": "B-2", "quantity": "4.50", "unit": "EA", "price": "1234.5"}, map[string]any{"item_id": "A&1", "quantity": "1"},
	}}
	key := Header{"Idempotency-Key", "order-4711-7"}
	var made map[string]any
	x.expect(client, http.MethodPost, "/purchase-orders", order, 201, &made, key)
	if made["id"] != "4711/7" || made["title"] != order["title"] || made["due_at"] != "2026-06-30T22:00:00Z" {
		t.Errorf("made %v", made)
	}
	data, err := os.ReadFile(filepath.Join(folder, "out", "PO_4711%2F7_order-4711-7.xml"))
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Number   int `xml:"no,attr"`
		Item     string
		Quantity struct {
			Unit string `xml:"unit,attr"`
			Text string `xml:",chardata"`
		}
	}
	var got struct {
		XMLName xml.Name `xml:"PurchaseOrder"`
		Number  string   `xml:"number,attr"`
		Title   string
		DueOn   string
		Lines   []line `xml:"Lines>Line"`
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if label != "windows-1252" {
			return nil, fmt.Errorf("the file is in %s", label)
		}
		return charmap.Windows1252.NewDecoder().Reader(in), nil
	}
	if err := d.Decode(&got); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if got.Number != "4711/7" || got.Title != order["title"] || got.DueOn != "2026-07-01" || len(got.Lines) != 2 ||
		got.Lines[0].Quantity.Text != "4.50" || got.Lines[0].Quantity.Unit != "EA" || got.Lines[1].Item != "A&1" {
		t.Errorf("sent %+v\n%s", got, data)
	}
	// The ERP takes it. The order is still known, and no other try makes a second file.
	if err := os.Remove(filepath.Join(folder, "out", "PO_4711%2F7_order-4711-7.xml")); err != nil {
		t.Fatal(err)
	}
	x.expect(client, http.MethodPost, "/purchase-orders", order, 201, nil, key)
	x.refused(client, http.MethodPost, "/purchase-orders", order, fault.Error{Code: fault.Duplicate, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected}, Header{"Idempotency-Key", "another"})
	if found, err := os.ReadDir(filepath.Join(folder, "out")); err != nil || len(found) != 0 {
		t.Errorf("it was sent again: %v, %v", found, err)
	}
	all := x.list(t, "/purchase-orders?vendor_id=V1")
	if lines, _ := all[0]["lines"].([]any); numbers(all) != "4711/7" || len(lines) != 2 || lines[0].(map[string]any)["quantity"] != "4.50" || lines[1].(map[string]any)["item_id"] != "A&1" {
		t.Errorf("orders: %v", all)
	}
}

func makeExchange(t *testing.T, folder string) {
	t.Helper()
	for _, name := range []string{"in", "out", "sent", "error"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
}

// exchanges plays a day at the drop.
func (p *plant) exchanges(t *testing.T, folder string, tick time.Duration, l login) {
	t.Helper()
	p.allow("writes")
	l.Settings["decimal"], l.Settings["encoding"], l.Settings["timezone"] = ",", "windows-1252", "Europe/Berlin"
	l.Settings["dates"] = "DD.MM.YYYY"
	client, _ := p.connect(l)
	x := &exchange{plant: p, folder: folder, tick: tick, client: client}
	t.Run("snapshots", x.snapshots)
	t.Run("a file that is written is not read", x.waits)
	t.Run("half a file is put away", x.quarantines)
	t.Run("events", x.events)
	t.Run("an order goes out", x.orders)
}

func (x *exchange) put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(x.folder, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// drops writes a file as an ERP should: under another name first.
func (x *exchange) drops(t *testing.T, name, text string) {
	t.Helper()
	x.put(t, name+".tmp", text)
	if err := os.Rename(filepath.Join(x.folder, name+".tmp"), filepath.Join(x.folder, name)); err != nil {
		t.Fatal(err)
	}
}

func (x *exchange) list(t *testing.T, path string) []map[string]any {
	t.Helper()
	all, err := x.client.All(t.Context(), path, 2)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	out := []map[string]any{}
	for _, raw := range all {
		var record map[string]any
		if err := json.Unmarshal(raw, &record); err != nil {
			t.Fatal(err)
		}
		out = append(out, record)
	}
	return out
}

func numbers(records []map[string]any) string {
	var out []string
	for _, r := range records {
		out = append(out, fmt.Sprint(r["id"]))
	}
	return strings.Join(out, " ")
}

const itemsHeader = "ItemNo;Name;Description;Category;Unit;Manufacturer;ManufacturerPartNo;UnitCost;Currency;Active;OnlyForUs\r\n"

func (x *exchange) snapshots(t *testing.T) {
	x.drops(t, "in/items_1.csv", itemsHeader+"OLD;;;;;;;;;1;\r\n")
	x.drops(t, "in/items_2.csv", itemsHeader+"B-2;\"Lager 6204; gro\xdf\";;Bearing;EA;SKF;6204;1.234,50;EUR;1;x\r\nA-1;Dichtung;;;EA;;;0,05;EUR;0;\r\nC-3;;;;;;;;;;\r\n")
	got := x.list(t, "/items")
	if numbers(got) != "B-2 A-1 C-3" {
		t.Fatalf("items: %v", got)
	}
	want := map[string]any{"name": "Lager 6204; groß", "unit_cost": "1234.50", "active": true, "manufacturer": "SKF"}
	for name, value := range want {
		if diff := cmp.Diff(value, got[0][name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	var one map[string]any
	x.expect(x.client, http.MethodGet, "/items/A-1", nil, 200, &one)
	if one["unit_cost"] != "0.05" || one["active"] != false {
		t.Errorf("A-1: %v", one)
	}
	if got := numbers(x.list(t, "/items?active=false")); got != "A-1" {
		t.Errorf("filtered: %s", got)
	}
	x.drops(t, "in/inventory_1.csv", "ItemNo;Storeroom;Bin;Unit;OnHand;Available;Reserved;OnOrder;Minimum;Maximum;CountedAt\r\nB-2;MAIN;3;EA;12,5;12,5;0;;;;01.07.2026\r\nB-2;OUT;;EA;-1;;;;;;\r\n")
	stock := x.list(t, "/inventory?item_id=B-2")
	if len(stock) != 2 || stock[0]["on_hand"] != "12.5" || stock[0]["counted_at"] != "2026-06-30T22:00:00Z" || stock[1]["on_hand"] != "-1" {
		t.Errorf("inventory: %v", stock)
	}
	x.refused(x.client, http.MethodGet, "/vendors", nil, fault.Error{Code: fault.SystemError, Hop: fault.HopSystem, Scope: fault.ScopeEntity}) // an empty list would be a lie
}

// waits has the ERP write a file under its last name, piece by piece.
func (x *exchange) waits(t *testing.T) {
	f, err := os.Create(filepath.Join(x.folder, "in/items_3.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, piece := range []string{itemsHeader, "D-4;Ne", "u;;;;;;;;1;\r\n"} {
		if _, err := f.WriteString(piece); err != nil {
			t.Fatal(err)
		}
		if got := numbers(x.list(t, "/items")); got != "B-2 A-1 C-3" {
			t.Fatalf("while it is written: %s", got)
		}
		time.Sleep(x.tick)
	}
	eventually(t, 30*time.Second, "the new file is read", func() error {
		if got := numbers(x.list(t, "/items")); got != "D-4" {
			return fmt.Errorf("items are %s", got)
		}
		return nil
	})
}

func (x *exchange) quarantines(t *testing.T) {
	x.drops(t, "in/items_4.csv", itemsHeader+"E-5;;;;;;;;;1;\r\nF-6;half")
	var f *fault.Error
	eventually(t, 30*time.Second, "the file is looked at", func() error {
		answer, err := x.client.Do(t.Context(), http.MethodGet, "/items", nil)
		if err != nil {
			t.Fatal(err)
		}
		if f = answer.Problem(); f == nil {
			return fmt.Errorf("still %s", answer.Body)
		}
		return nil
	})
	if f.Code != fault.SystemError || f.Scope != fault.ScopeEntity || f.Hop != fault.HopSystem || !strings.Contains(f.Detail, "items_4.csv, line 3: 2 fields, and not 11") {
		t.Errorf("%+v", f)
	}
	if got := numbers(x.list(t, "/items")); got != "D-4" {
		t.Errorf("the snapshot before it: %s", got)
	}
	note, err := os.ReadFile(filepath.Join(x.folder, "error/items_4.csv.error.txt"))
	if err != nil || !strings.Contains(string(note), "line 3") {
		t.Errorf("the note says %q, %v", note, err)
	}
	if _, err := os.Stat(filepath.Join(x.folder, "in/items_4.csv")); !os.IsNotExist(err) {
		t.Errorf("it is still in the inbox: %v", err)
	}
}

func (x *exchange) events(t *testing.T) {
	header := "ReceiptNo;OrderNo;ReceivedAt;ReceivedBy;Line;ItemNo;Quantity;Unit\r\n"
	x.drops(t, "in/receipts_01.csv", header+"R1;PO1;2026-07-01 06:30:00;Ann;1;B-2;4,25;EA\r\nR1;PO1;2026-07-01 06:30:00;Ann;2;A-1;1;EA\r\nR2;PO2;2026-01-01 06:30:00;;1;A-1;7;EA\r\n")
	x.drops(t, "in/receipts_02.csv", header+"R3;PO2;;;1;A-1;7;EA\r\n")
	got := x.list(t, "/goods-receipts")
	if numbers(got) != "R1 R2 R3" {
		t.Fatalf("receipts: %v", got)
	}
	lines, _ := got[0]["lines"].([]any)
	if len(lines) != 2 || lines[0].(map[string]any)["quantity"] != "4.25" || got[0]["received_at"] != "2026-07-01T04:30:00Z" || got[1]["received_at"] != "2026-01-01T05:30:00Z" {
		t.Errorf("R1: %v", got[0])
	}
	x.drops(t, "in/receipts_03.csv", header+"R4;PO2;;;1;A-1;7;EA\r\n")
	eventually(t, 30*time.Second, "a later event is read", func() error {
		if got := numbers(x.list(t, "/goods-receipts")); got != "R1 R2 R3 R4" {
			return fmt.Errorf("receipts are %s", got)
		}
		return nil
	})
}

func (x *exchange) orders(t *testing.T) {
	order := map[string]any{"number": "4711/7", "vendor_id": "V1", "title": "Größe; \"x\"", "due_at": "2026-07-01T00:00:00+02:00", "lines": []any{
		map[string]any{"item_id": "B-2", "quantity": "4", "price": "1234.5"}, map[string]any{"item_id": "A-1", "quantity": "1.25"},
	}}
	key := Header{"Idempotency-Key", "order-4711-7"}
	var made map[string]any
	x.expect(x.client, http.MethodPost, "/purchase-orders", order, 201, &made, key)
	if made["id"] != "4711/7" || made["due_at"] != "2026-06-30T22:00:00Z" || len(made["lines"].([]any)) != 2 {
		t.Errorf("made %v", made)
	}
	const name = "PO_4711%2F7_order-4711-7.csv"
	want := "OrderNo;VendorNo;Title;Currency;OrderedOn;DueOn;Reference;Line;ItemNo;Description;Quantity;Unit;Price;LineDueOn\r\n" +
		"4711/7;V1;\"Gr\xf6\xdfe; \"\"x\"\"\";;;01.07.2026;order-4711-7;1;B-2;;4;;1234,5;\r\n" +
		"4711/7;V1;\"Gr\xf6\xdfe; \"\"x\"\"\";;;01.07.2026;order-4711-7;2;A-1;;1,25;;;\r\n"
	if got, err := os.ReadFile(filepath.Join(x.folder, "out", name)); err != nil || string(got) != want {
		t.Errorf("%v: %q", err, got)
	}
	found, err := os.ReadDir(filepath.Join(x.folder, "out"))
	if err != nil || len(found) != 1 {
		t.Errorf("the outbox holds %v, %v", found, err)
	}
	// The ERP takes it. The order is still known, and no other try makes a second file.
	if err := os.Rename(filepath.Join(x.folder, "out", name), filepath.Join(x.folder, "taken")); err != nil {
		t.Fatal(err)
	}
	x.expect(x.client, http.MethodPost, "/purchase-orders", order, 201, nil, key)
	x.refused(x.client, http.MethodPost, "/purchase-orders", order, fault.Error{Code: fault.Duplicate, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected}, Header{"Idempotency-Key", "another"})
	if found, err := os.ReadDir(filepath.Join(x.folder, "out")); err != nil || len(found) != 0 {
		t.Errorf("it was sent again: %v, %v", found, err)
	}
	if got := numbers(x.list(t, "/purchase-orders?vendor_id=V1")); got != "4711/7" {
		t.Errorf("orders: %s", got)
	}
	order["title"], order["number"] = "軸受", "4712"
	x.refused(x.client, http.MethodPost, "/purchase-orders", order, fault.Error{Code: fault.ValidationFailed, Hop: fault.HopAgent, Scope: fault.ScopeRecord, Outcome: fault.NotSent}, Header{"Idempotency-Key", "third"})
}
