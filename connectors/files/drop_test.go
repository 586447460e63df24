package files_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/files"

	"github.com/google/go-cmp/cmp"
)

// drop is a folder with a connection to it.
type drop struct {
	root string
	conn connectors.Conn
}

func openDrop(t testing.TB, folders ...string) *drop {
	t.Helper()
	d := &drop{root: t.TempDir()}
	for _, folder := range append(folders, "in") {
		if err := os.MkdirAll(filepath.Join(d.root, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if d.conn, err = (files.Driver{}).Open(t.Context(), target(d.root)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.conn.Close() })
	return d
}

func (d *drop) put(t testing.TB, name, text string) { put(t, filepath.Join(d.root, name), text) }

func (d *drop) names(t testing.TB, folder string) []string {
	t.Helper()
	found, err := os.ReadDir(filepath.Join(d.root, folder))
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, f := range found {
		out = append(out, f.Name())
	}
	return out
}

func compiled(t testing.TB, native map[string]any) connectors.Statement {
	t.Helper()
	s, err := (files.Driver{}).Compile("local", native)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stock is a query for items; members are laid over it.
func stock(members map[string]any) map[string]any {
	q := map[string]any{
		"folder": "in", "files": "items_*", "settle": "0s", "errors": "error",
		"columns": map[string]any{"item": "Item", "qty": "Qty as decimal", "line": "$line"},
	}
	maps.Copy(q, members)
	return q
}

func rows(seq iter.Seq2[connectors.Row, error]) (all []connectors.Row, err error) {
	for row, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, maps.Clone(row))
	}
	return all, nil
}

func (d *drop) read(t testing.TB, native map[string]any) ([]connectors.Row, error) {
	t.Helper()
	return rows(d.conn.Read(t.Context(), connectors.Read{Statement: compiled(t, native)}))
}

// items gives column item of all rows, joined.
func (d *drop) items(t testing.TB, native map[string]any) string {
	t.Helper()
	all, err := d.read(t, native)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, row := range all {
		out = append(out, fmt.Sprint(row["item"]))
	}
	return strings.Join(out, " ")
}

func failure(t testing.TB, err error) *connectors.Failure {
	t.Helper()
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok {
		t.Fatalf("got %v, want a Failure", err)
	}
	return f
}

// TestValues reads the same two records in every form that a plant may write them in.
func TestValues(t *testing.T) {
	want := []connectors.Row{
		{"item": "Größe ½", "qty": "1234.50", "ok": true, "day": time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), "at": time.Date(2026, 2, 28, 13, 5, 0, 0, time.UTC)},
		{"item": "B;\"x\"", "qty": "-0.05", "ok": false, "day": nil, "at": nil},
	}
	columns := map[string]any{"item": "Item", "qty": "Qty as decimal", "ok": "Ok as boolean", "day": "Day as date", "at": "At as datetime"}
	plain := "Item,Qty,Ok,Day,At\r\nGröße ½,1234.50,1,2026-02-28,2026-02-28 13:05:00\r\n\"B;\"\"x\"\"\",0.05-,N,,\r\n"
	latin := strings.NewReplacer("ö", "\xf6", "ß", "\xdf", "½", "\xbd")
	for name, test := range map[string]struct {
		text    string
		members map[string]any
	}{
		"plain":                  {plain, nil},
		"byte order mark":        {"\xef\xbb\xbf" + plain, nil},
		"mark beats declaration": {"\xef\xbb\xbf" + plain, map[string]any{"encoding": "windows-1252"}},
		"windows-1252":           {latin.Replace(plain), map[string]any{"encoding": "windows-1252"}},
		"utf-16":                 {"\xff\xfe" + utf16(plain), map[string]any{"encoding": "utf-16"}},
		"utf-16le without mark":  {utf16(plain), map[string]any{"encoding": "utf-16le"}},
		"no header": {strings.SplitN(plain, "\r\n", 2)[1], map[string]any{"header": false,
			"columns": map[string]any{"item": "#1", "qty": "#2 as decimal", "ok": "#3 as boolean", "day": "#4 as date", "at": "#5 as datetime"}}},
		"semicolon, comma, points": {
			"Day;Item;Extra;Qty;Ok;At\n28.02.2026;Größe ½;;1.234,50;ja;28.02.2026 13:05\n;\"B;\"\"x\"\"\";;-0,05;nein;\n",
			map[string]any{"separator": ";", "decimal": ",", "dates": "DD.MM.YYYY", "datetimes": "DD.MM.YYYY HH:mm"},
		},
		"no quotes": {
			"Item|Qty|Ok|Day|At\nGröße ½|1'234.50|true|20260228|20260228130500\nB;\"x\"|-.05|-||\n",
			map[string]any{"separator": "|", "quotes": "none", "dates": "YYYYMMDD", "datetimes": "YYYYMMDDHHmmSS"},
		},
		"skipped lines and a trailer": {"Report 7\n\n" + plain + "END 2\n", map[string]any{"skip": 2, "trailer": "END"}},
		"compressed":                  {packed(plain), map[string]any{"compression": "gzip"}},
		"fixed": {
			"Größe ½ 1234.50X2026-02-282026-02-28 13:05:00\r\nB;\"x\"  -0.05  -\r\n\x1a",
			map[string]any{"format": "fixed", "columns": map[string]any{
				"item": fixed(1, 8, "text"), "qty": fixed(9, 7, "decimal"), "ok": fixed(16, 1, "boolean"), "day": fixed(17, 10, "date"), "at": fixed(27, 19, "datetime"),
			}},
		},
		"xml": {
			`<?xml version="1.0" encoding="ISO-8859-1"?><s:Stock xmlns:s="urn:s"><Item no="Gr` + "\xf6\xdf" + `e &#189;"><Qty>1234.50</Qty><Ok>true</Ok><Day>2026-02-28</Day><At>2026-02-28T13:05:00Z</At></Item>
			<Item no="B;&quot;x&quot;"><Qty> -0.05 </Qty><Ok>0</Ok></Item></s:Stock>`,
			map[string]any{"format": "xml", "records": "/Stock/Item", "columns": map[string]any{
				"item": "@no", "qty": "Qty as decimal", "ok": "Ok as boolean", "day": "Day as date", "at": "At as datetime",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "fixed" {
				test.text = strings.Replace(test.text, "B;\"x\"  -0.05  -", "B;\"x\"     -0.05-"+strings.Repeat(" ", 10)+" ", 1)
			}
			d := openDrop(t)
			d.put(t, "in/items_1.csv", test.text)
			q := stock(map[string]any{"columns": columns})
			maps.Copy(q, test.members)
			got, err := d.read(t, q)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func fixed(at, width int, kind string) map[string]any {
	return map[string]any{"at": at, "width": width, "as": kind}
}

func utf16(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

func packed(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func TestShiftJIS(t *testing.T) {
	d := openDrop(t)
	d.put(t, "in/items_1.csv", "Item,Qty\n\x8e\xb2\x8e\xf3,1\n") // 軸受, a bearing
	if got := d.items(t, stock(map[string]any{"encoding": "shift_jis"})); got != "軸受" {
		t.Errorf("got %q", got)
	}
}

// TestQuarantine drops files that are not as they should be.
func TestQuarantine(t *testing.T) {
	bomb := packed("Item,Qty\n" + strings.Repeat("A", 2<<20))
	for name, test := range map[string]struct {
		text, want string
		line       int64
		members    map[string]any
	}{
		"half":              {"Item,Qty\nA,1\nB,2\nC", "1 fields, and not 2", 4, nil},
		"too many fields":   {"Item,Qty\nA,1,2\n", "3 fields", 2, nil},
		"open quote":        {"Item,Qty\nA,1\n\"B,2\nC,3\n", "quote", 3, nil},
		"no number":         {"Item,Qty\nA,1\nB,1.2.3\n", `qty: "1.2.3" is no decimal`, 3, nil},
		"group of two":      {"Item,Qty\nA,\"1,23\"\n", "is no decimal", 2, nil},
		"another header":    {"Article,Qty\nA,1\n", `no "Item"; it has: Article, Qty`, 1, nil},
		"header twice":      {"Item,Qty,item\nA,1,B\n", "twice", 1, nil},
		"empty":             {"", "no header", 1, nil},
		"key twice":         {"Item,Qty\nA,1\nB,1\nA,2\n", "same item", 4, map[string]any{"unique": []any{"item"}}},
		"key missing":       {"Item,Qty\n,1\n", "is empty", 2, map[string]any{"unique": []any{"item"}}},
		"cut at a line":     {"Item,Qty\nA,1\n", "not whole", 3, map[string]any{"trailer": "END"}},
		"line after end":    {"Item,Qty\nEND\nA,1\n", "a line after", 3, map[string]any{"trailer": "END"}},
		"wrong encoding":    {"Item,Qty\nGr\xf6\xdfe,1\n", "encoding does not have", 2, nil},
		"not compressed":    {"Item,Qty\nA,1\n", "damaged", 1, map[string]any{"compression": "gzip"}},
		"half compressed":   {bomb[:len(bomb)/2], "", 2, map[string]any{"compression": "gzip"}},
		"bomb in one line":  {bomb, "a record of more than", 2, map[string]any{"compression": "gzip"}},
		"a million columns": {"Item,Qty" + strings.Repeat(",x", 1_000_000) + "\n", "a record of more than", 1, nil},
		"thousands of them": {"Item,Qty" + strings.Repeat(",x", 5_000) + "\n", "5002 fields", 1, nil},
		"short line": {"A   1\nB\n", "the last column begins at 5", 2, map[string]any{"format": "fixed",
			"columns": map[string]any{"item": fixed(1, 4, "text"), "qty": fixed(5, 4, "decimal")}}},
		"half xml": {"<Stock>\n<Item><N>A</N></Item>\n<Item><N>", "EOF", 3, map[string]any{"format": "xml", "records": "/Stock/Item", "columns": map[string]any{"item": "N"}}},
		"entity": {"<!DOCTYPE Stock [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>\n<Stock/>", "document type", 1,
			map[string]any{"format": "xml", "records": "/Stock/Item", "columns": map[string]any{"item": "N"}}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDrop(t)
			d.put(t, "in/items_2.csv", test.text)
			if test.members["format"] == nil && test.members["compression"] == nil && test.members["trailer"] == nil {
				d.put(t, "in/items_1.csv", "Item,Qty\nold,1\n")
			}
			_, err := d.read(t, stock(test.members))
			f := failure(t, err)
			if f.Status != "malformed" || !strings.Contains(f.Message, test.want) || f.Source["line"] != test.line || f.Source["file"] != "in/items_2.csv" || f.Source["moved"] != true {
				t.Errorf("%s %q %v; want line %d, %q", f.Status, f.Message, f.Source, test.line, test.want)
			}
			if diff := cmp.Diff([]string{"items_2.csv", "items_2.csv.error.txt"}, d.names(t, "error")); diff != "" {
				t.Error(diff)
			}
			note, err := os.ReadFile(filepath.Join(d.root, "error", "items_2.csv.error.txt"))
			if err != nil || !strings.Contains(string(note), fmt.Sprintf("line %d", test.line)) {
				t.Errorf("the note says %q, %v", note, err)
			}
			if len(d.names(t, "in")) == 1 && d.items(t, stock(test.members)) != "old" {
				t.Error("the snapshot before it is not shown")
			}
		})
	}
}

func TestMalformedFileBlocksWithoutErrorFolder(t *testing.T) {
	d := openDrop(t)
	d.put(t, "in/items_1.csv", "Item,Qty\nold,1\n")
	d.put(t, "in/items_2.csv", "Item,Qty\nhalf")
	for range 2 {
		if _, err := d.read(t, stock(map[string]any{"errors": ""})); failure(t, err).Source["moved"] != false {
			t.Error("it was moved, or said so")
		}
	}
	if got := d.names(t, "in"); len(got) != 2 {
		t.Errorf("the folder holds %v", got)
	}
}

// TestNothingIsShownWhileItIsWritten has a writer that takes its time.
func TestNothingIsShownWhileItIsWritten(t *testing.T) {
	d := openDrop(t)
	d.put(t, "in/items_1.csv", "Item,Qty\nold,1\n")
	settling := stock(map[string]any{"settle": "300ms"})
	if got := d.items(t, settling); got != "old" { // there is nothing else to show: it waits
		t.Fatalf("got %q", got)
	}
	f, err := os.Create(filepath.Join(d.root, "in/items_2.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, piece := range []string{"Item,", "Qty\nnew", "er,1\n"} {
		if _, err := f.WriteString(piece); err != nil {
			t.Fatal(err)
		}
		if got := d.items(t, settling); got != "old" {
			t.Fatalf("after piece %d: got %q", i, got)
		}
		time.Sleep(50 * time.Millisecond)
	}
	for began := time.Now(); d.items(t, settling) != "newer"; time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 15*time.Second {
			t.Fatal("the new snapshot is never shown")
		}
	}
	events := stock(map[string]any{"settle": "300ms", "show": "all"})
	d.put(t, "in/items_0.csv", "Item,Qty\nfirst,1\n")
	d.put(t, "in/items_3.csv", "Item,Qty\nlast,1\n")
	if got := d.items(t, events); got != "first old newer last" { // the first of them is new: what comes after it waits with it
		t.Errorf("got %q", got)
	}
}

func TestMarkersAndTemporaryNames(t *testing.T) {
	d := openDrop(t)
	marked := stock(map[string]any{"marker": ".ok"})
	d.put(t, "in/items_1.csv", "Item,Qty\none,1\n")
	d.put(t, "in/items_1.csv.OK", "")
	d.put(t, "in/items_2.csv", "Item,Qty\ntwo")
	if got := d.items(t, marked); got != "one" {
		t.Errorf("got %q", got)
	}
	for _, name := range []string{"items_3.csv.tmp", "items_3.csv.filepart", ".items_3.csv", "~items_3.csv"} {
		d.put(t, "in/"+name, "Item,Qty\nthree")
	}
	d.put(t, "in/items_2.csv", "Item,Qty\ntwo,1\n")
	d.put(t, "in/items_2.csv.ok", "")
	if got := d.items(t, marked); got != "two" {
		t.Errorf("got %q", got)
	}
}

func TestArchive(t *testing.T) {
	d := openDrop(t, "archive")
	d.put(t, "archive/items_1.csv", "an older one of the same name")
	for i := range 4 {
		d.put(t, fmt.Sprintf("in/items_%d.csv", i), fmt.Sprintf("Item,Qty\nn%d,1\n", i))
	}
	if got := d.items(t, stock(map[string]any{"archive": "archive"})); got != "n3" {
		t.Errorf("got %q", got)
	}
	if diff := cmp.Diff([]string{"items_3.csv"}, d.names(t, "in")); diff != "" {
		t.Error(diff)
	}
	if got := d.names(t, "archive"); len(got) != 4 {
		t.Errorf("the archive holds %v", got)
	}
}

// TestPagesOfEvents turns pages while files come.
func TestPagesOfEvents(t *testing.T) {
	d := openDrop(t)
	for i := range 5 {
		d.put(t, fmt.Sprintf("in/items_%d.csv", i), fmt.Sprintf("Item,Qty\na%d,1\nb%d,2\n", i, i))
	}
	s := compiled(t, stock(map[string]any{"show": "all", "columns": map[string]any{"item": "Item", "file": "$file", "line": "$line"}}))
	q := connectors.Read{Statement: s, OrderBy: []string{"file", "line", "item"}, Limit: 3}
	var got []string
	for page := range 20 {
		found, err := rows(d.conn.Read(t.Context(), q))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range found {
			got = append(got, row["item"].(string))
		}
		if len(found) < 3 {
			break
		}
		last := found[len(found)-1]
		q.After = []any{last["file"], last["line"], last["item"]}
		if page == 2 {
			d.put(t, "in/items_7.csv", "Item,Qty\nlate,1\n")
		}
	}
	if want := "a0 b0 a1 b1 a2 b2 a3 b3 a4 b4 late"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGroupsAndWhere(t *testing.T) {
	d := openDrop(t)
	d.put(t, "in/items_1.csv", "Item,Qty\nA,1\nA,2\nB,3\nA,4\nA,5\n")
	if got := d.items(t, stock(map[string]any{"group": []any{"item"}})); got != "A B A" {
		t.Errorf("got %q", got)
	}
	if got := d.items(t, stock(map[string]any{"where": map[string]any{"qty": "3.0"}})); got != "B" {
		t.Errorf("got %q", got)
	}
}

// TestSortsInPasses sorts more than is held at once.
func TestSortsInPasses(t *testing.T) {
	d := openDrop(t)
	var b strings.Builder
	b.WriteString("Item,Qty\n")
	const n = 50_001
	for i := range n {
		fmt.Fprintf(&b, "I%06d,%d\n", (i*7919)%n, i%10)
	}
	d.put(t, "in/items_1.csv", b.String())
	count, last := 0, ""
	for row, err := range d.conn.Read(t.Context(), connectors.Read{Statement: compiled(t, stock(nil)), OrderBy: []string{"item"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if item := row["item"].(string); item <= last {
			t.Fatalf("%s after %s", item, last)
		} else {
			last = item
		}
		count++
	}
	if count != n {
		t.Errorf("%d of %d rows", count, n)
	}
}

func TestLinksLeadNowhere(t *testing.T) {
	d := openDrop(t)
	outside := filepath.Join(t.TempDir(), "secret.csv")
	put(t, outside, "Item,Qty\nsecret,1\n")
	if err := os.Symlink(outside, filepath.Join(d.root, "in", "items_9.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(d.root, "link")); err != nil {
		t.Fatal(err)
	}
	d.put(t, "in/items_1.csv", "Item,Qty\none,1\n")
	if got := d.items(t, stock(nil)); got != "one" {
		t.Errorf("got %q", got)
	}
	if got, err := d.read(t, stock(map[string]any{"folder": "link", "files": "*"})); err == nil {
		t.Errorf("read through a link: %v", got)
	}
	for _, folder := range []string{"..", "../x", "/etc", `..\x`, "c:/x", "a/../../b"} {
		if _, err := (files.Driver{}).Compile("local", stock(map[string]any{"folder": folder})); err == nil {
			t.Errorf("the folder %q was taken", folder)
		}
		read := connectors.Read{Statement: compiled(t, stock(map[string]any{"folder": ":login_f"})), Vars: connectors.Vars{"login_f": folder}}
		if _, err := rows(d.conn.Read(t.Context(), read)); failure(t, err).Kind != connectors.Misused {
			t.Errorf("the folder %q of a login was taken: %v", folder, err)
		}
	}
}

// order is a write of orders.
func order(members map[string]any) map[string]any {
	w := map[string]any{
		"folder": "out", "write": "PO_{number}.csv", "sent": "sent", "separator": ";", "decimal": ",", "encoding": "windows-1252", "dates": "DD.MM.YYYY",
		"header":  []any{"Number", "Date", "Line", "Item", "Qty"},
		"columns": map[string]any{"number": "Number", "date": "Date as date"},
		"each":    map[string]any{"list": "lines", "columns": map[string]any{"index": "Line as integer", "item": "Item", "qty": "Qty as decimal"}},
		"result":  []any{"number"},
	}
	maps.Copy(w, members)
	return w
}

func orderVars(number string) connectors.Vars {
	return connectors.Vars{"number": number, "date": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "lines": []connectors.Vars{
		{"index": int64(1), "item": `Öl "10W;40"`, "qty": "1.5"}, {"index": int64(2), "item": "Nut", "qty": "3"},
	}}
}

func (d *drop) exec(t testing.TB, native map[string]any, vars connectors.Vars) (connectors.Effect, error) {
	t.Helper()
	tx, err := d.conn.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return tx.Exec(t.Context(), compiled(t, native), vars)
}

func TestOutbound(t *testing.T) {
	d := openDrop(t, "out")
	effect, err := d.exec(t, order(nil), orderVars("4711/a"))
	if err != nil || effect.Affected != 1 || effect.Row["number"] != "4711/a" {
		t.Fatalf("%+v, %v", effect, err)
	}
	want := "Number;Date;Line;Item;Qty\r\n4711/a;01.03.2026;1;\"\xd6l \"\"10W;40\"\"\";1,5\r\n4711/a;01.03.2026;2;Nut;3\r\n"
	for _, name := range []string{"out/PO_4711%2Fa.csv", "sent/PO_4711%2Fa.csv"} {
		if got, err := os.ReadFile(filepath.Join(d.root, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got := d.names(t, "out"); len(got) != 1 {
		t.Errorf("the outbox holds %v", got)
	}
	// The receiver takes the file; it is known all the same, and not sent again.
	if err := os.Remove(filepath.Join(d.root, "out", "PO_4711%2Fa.csv")); err != nil {
		t.Fatal(err)
	}
	_, err = d.exec(t, order(nil), orderVars("4711/a"))
	if f := failure(t, err); f.Status != "exists" || f.Sent {
		t.Errorf("%+v", f)
	}
	for name, vars := range map[string]connectors.Vars{
		"a letter that the encoding does not have": {"number": "軸", "date": nil, "lines": []connectors.Vars{{"index": int64(1), "item": "軸", "qty": "1"}}},
		"no number":                  {"number": "1", "date": nil, "lines": []connectors.Vars{{"index": int64(1), "item": "x", "qty": "many"}}},
		"no lines":                   {"number": "1", "date": nil, "lines": nil},
		"a member without its value": {"number": "1", "date": nil, "lines": []connectors.Vars{{"index": int64(1)}}},
		"no name":                    {"number": nil, "date": nil, "lines": nil},
	} {
		if _, err := d.exec(t, order(nil), vars); failure(t, err).Kind != connectors.Misused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := d.names(t, "sent"); len(got) != 1 {
		t.Errorf("something was left of a write that was refused: %v", got)
	}
}

// TestCrashBeforeRename leaves what a crash between the copy and the rename leaves.
func TestCrashBeforeRename(t *testing.T) {
	d := openDrop(t, "out", "sent")
	d.put(t, "out/PO_1.csv.tmp", "half")
	d.put(t, "sent/PO_1.csv", "Number;Date;Line;Item;Qty\r\n1;;1;x;1\r\n")
	sent := stock(map[string]any{"folder": "sent", "files": "PO_*.csv", "show": "all", "pending": "out", "separator": ";", "columns": map[string]any{"item": "Number"}})
	if got := d.items(t, sent); got != "" {
		t.Errorf("an order that was never sent is shown: %q", got)
	}
	if _, err := d.exec(t, order(nil), orderVars("1")); err != nil {
		t.Fatal(err)
	}
	if got := d.items(t, sent); got != "1 1" {
		t.Errorf("got %q", got)
	}
	if diff := cmp.Diff([]string{"PO_1.csv"}, d.names(t, "out")); diff != "" {
		t.Error(diff)
	}
}

func TestOutboundFixed(t *testing.T) {
	d := openDrop(t, "out")
	w := map[string]any{"folder": "out", "write": "s{n}.txt", "format": "fixed", "newline": "lf", "trailer": "END", "columns": map[string]any{
		"n": map[string]any{"at": 1, "width": 4}, "q": map[string]any{"at": 6, "width": 6, "as": "decimal"},
	}}
	if _, err := d.exec(t, w, connectors.Vars{"n": "ä7", "q": "2.50"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(d.root, "out", "s%C3%A47.txt")); string(got) != "ä7     2.50\nEND\n" {
		t.Errorf("%q", got)
	}
	if _, err := d.exec(t, w, connectors.Vars{"n": "longer", "q": "1"}); failure(t, err).Kind != connectors.Misused {
		t.Errorf("a value that does not fit: %v", err)
	}
}

func TestCompileRefuses(t *testing.T) {
	for name, native := range map[string]map[string]any{
		"nothing":               {},
		"unknown member":        stock(map[string]any{"sql": "x"}),
		"no columns":            stock(map[string]any{"columns": nil}),
		"unknown kind":          stock(map[string]any{"columns": map[string]any{"a": map[string]any{"at": 1, "width": 2, "as": "money"}}}),
		"group of no column":    stock(map[string]any{"group": []any{"nothing"}}),
		"where of no column":    stock(map[string]any{"where": map[string]any{"nothing": "1"}}),
		"long settle":           stock(map[string]any{"settle": "24h"}),
		"bad XPath":             stock(map[string]any{"format": "xml", "records": "/a/b", "columns": map[string]any{"a": "b["}}),
		"no route":              stock(map[string]any{"format": "xml"}),
		"fixed name":            order(map[string]any{"write": "orders.csv"}),
		"name with a folder":    order(map[string]any{"write": "../{number}.csv"}),
		"column not in header":  order(map[string]any{"header": []any{"Number"}}),
		"header without column": order(map[string]any{"header": []any{"Number", "Date", "Line", "Item", "Qty", "Other"}}),
		"XML by columns":        order(map[string]any{"format": "xml", "document": "<a>{number}</a>"}),
		"XML without document":  document("", nil),
		"XML of no element":     document("<a>{number}</b>", nil),
		"XML in pages":          document("<a>{$size}</a>", nil),
		"XML that asks":         document("<a>{=number}</a>", nil),
		"XML, packed":           document("<a>{number}</a>", map[string]any{"compression": "gzip"}),
		"XML with a trailer":    document("<a>{number}</a>", map[string]any{"trailer": "END"}),
		"result not written":    document("<a>{number}</a>", map[string]any{"result": []any{"vendor"}}),
		"document of CSV":       order(map[string]any{"document": "<a>{number}</a>"}),
		"overlap": {"folder": "out", "write": "{n}", "format": "fixed", "columns": map[string]any{
			"n": map[string]any{"at": 1, "width": 4}, "q": map[string]any{"at": 4, "width": 6}}},
	} {
		if _, err := (files.Driver{}).Compile("local", native); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
