package files_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

// document is a write of XML.
func document(text string, members map[string]any) map[string]any {
	w := map[string]any{"folder": "out", "write": "PO_{number}.xml", "sent": "sent", "format": "xml", "document": text}
	maps.Copy(w, members)
	return w
}

const orderDocument = `<p:Order xmlns:p="urn:plant:order" number="{number}" urgent="{urgent}" type="Normal">
	<p:Vendor>{vendor}</p:Vendor>
	<p:Note>{note?}</p:Note>
	<p:Dates><p:Ordered>{ordered as date}</p:Ordered><p:Due>{due? as datetime}</p:Due></p:Dates>
	<p:Lines>
		<p:Line gantry:each="lines" no="{index as integer}">
			<p:Item unit="{unit?}">{item}</p:Item><p:Quantity>{qty as decimal}</p:Quantity>
		</p:Line>
	</p:Lines>
</p:Order>`

// orderRead is the order as a receiver reads it, by names with their namespaces.
type orderRead struct {
	XMLName xml.Name    `xml:"urn:plant:order Order"`
	Number  string      `xml:"number,attr"`
	Urgent  bool        `xml:"urgent,attr"`
	Type    string      `xml:"type,attr"`
	Vendor  string      `xml:"urn:plant:order Vendor"`
	Note    *string     `xml:"urn:plant:order Note"`
	Ordered string      `xml:"Dates>Ordered"`
	Due     *string     `xml:"Dates>Due"`
	Lines   []orderLine `xml:"Lines>Line"`
}

type orderLine struct {
	Number int `xml:"no,attr"`
	Item   struct {
		Unit *string `xml:"unit,attr"`
		Text string  `xml:",chardata"`
	} `xml:"Item"`
	Quantity string `xml:"Quantity"`
}

// readBack reads a file with encoding/xml, strictly, in the encoding that its declaration names; it must be one document and no more.
func readBack(t *testing.T, data []byte, into any) {
	t.Helper()
	var in io.Reader = bytes.NewReader(data)
	marked := bytes.HasPrefix(data, []byte{0xff, 0xfe})
	if marked {
		in = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(in)
	}
	d := xml.NewDecoder(in)
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if marked {
			return in, nil
		}
		e, err := ianaindex.IANA.Encoding(label)
		if err != nil {
			return nil, err
		}
		return e.NewDecoder().Reader(in), nil
	}
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if text, is := token.(xml.CharData); err != nil || !is || len(bytes.TrimSpace(text)) > 0 {
			t.Fatalf("after the document: %v, %v", token, err)
		}
	}
}

// TestDocument writes an order as XML in each encoding, with values that would be markup, and characters that the encoding does not have; its
// receiver reads back what was given.
func TestDocument(t *testing.T) {
	const evil = `</p:Vendor><p:Vendor x="1">&amp; ]]> 'Öl' 軸 🛢 ` + "\t\r\n<!-- "
	vars := func() connectors.Vars {
		return connectors.Vars{
			"number": `4711/a"&<`, "urgent": true, "vendor": evil, "note": nil, "ordered": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "due": nil,
			"lines": []connectors.Vars{
				{"index": int64(1), "item": "  " + evil, "unit": `"m`, "qty": "1.50"}, {"index": int64(2), "item": "Nut", "unit": nil, "qty": "-3"},
			},
		}
	}
	want := orderRead{XMLName: xml.Name{Space: "urn:plant:order", Local: "Order"}, Number: `4711/a"&<`, Urgent: true, Type: "Normal", Vendor: evil, Ordered: "01.03.2026"}
	first, second := orderLine{Number: 1, Quantity: "1,50"}, orderLine{Number: 2, Quantity: "-3"}
	unit := `"m`
	first.Item.Text, first.Item.Unit, second.Item.Text = "  "+evil, &unit, "Nut"
	want.Lines = []orderLine{first, second}
	for _, encoding := range []string{"utf-8", "utf-16", "windows-1252", "windows-1250", "windows-1251", "iso-8859-1", "iso-8859-2", "iso-8859-15", "cp437", "cp850", "shift_jis", "gb18030"} {
		t.Run(encoding, func(t *testing.T) {
			d := openDrop(t, "out")
			effect, err := d.exec(t, document(orderDocument, map[string]any{"encoding": encoding, "dates": "DD.MM.YYYY", "decimal": ",", "result": []any{"number"}}), vars())
			if err != nil || effect.Row["number"] != `4711/a"&<` {
				t.Fatalf("%v, %v", effect, err)
			}
			if diff := cmp.Diff([]string{"PO_4711%2Fa%22%26%3C.xml"}, d.names(t, "out")); diff != "" {
				t.Errorf("the outbox: %s", diff)
			}
			data, err := os.ReadFile(filepath.Join(d.root, "out", "PO_4711%2Fa%22%26%3C.xml"))
			if err != nil {
				t.Fatal(err)
			}
			var got orderRead
			readBack(t, data, &got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, data)
			}
			// And so does the driver, of the copy.
			lines := stock(map[string]any{"folder": "sent", "files": "PO_*.xml", "show": "all", "format": "xml", "records": "/Order/Lines/Line", "decimal": ",",
				"columns": map[string]any{"item": "Item", "number": "../../@number", "vendor": "../../Vendor", "qty": "Quantity as decimal"}})
			delete(lines, "separator")
			delete(lines, "encoding")
			rows, err := d.read(t, lines)
			if err != nil || len(rows) != 2 || rows[0]["number"] != `4711/a"&<` || rows[0]["vendor"] != strings.TrimSpace(evil) || rows[0]["qty"] != "1.50" || rows[1]["item"] != "Nut" {
				t.Errorf("%v, %v", rows, err)
			}
		})
	}
}

// TestDocumentLooks: what a person sees who opens the file.
func TestDocumentLooks(t *testing.T) {
	d := openDrop(t, "out")
	vars := connectors.Vars{"number": "1", "note": nil, "lines": []connectors.Vars{{"item": "Öl"}, {"item": "軸"}}}
	w := document(`<Order no="{number}"><Note>{note?}</Note><Lines><Line gantry:each="lines">{item}</Line></Lines></Order>`, map[string]any{"encoding": "windows-1252"})
	if _, err := d.exec(t, w, vars); err != nil {
		t.Fatal(err)
	}
	want := "<?xml version=\"1.0\" encoding=\"windows-1252\"?>\r\n<Order no=\"1\">\r\n  <Lines>\r\n    <Line>\xd6l</Line>\r\n    <Line>&#36600;</Line>\r\n  </Lines>\r\n</Order>\r\n"
	if got, err := os.ReadFile(filepath.Join(d.root, "out", "PO_1.xml")); err != nil || string(got) != want {
		t.Errorf("%v\n got %q\nwant %q", err, got, want)
	}
}

// TestDocumentRefused: of what cannot be orderRead nothing is orderRead, and nothing is left.
func TestDocumentRefused(t *testing.T) {
	for name, test := range map[string]struct {
		document string
		members  map[string]any
		vars     connectors.Vars
	}{
		"mandatory element without a value": {"<a>{number}</a>", nil, connectors.Vars{"number": nil}},
		"of a line":                         {`<a n="{number}"><b gantry:each="lines">{item}</b></a>`, nil, connectors.Vars{"number": "1", "lines": []connectors.Vars{{"item": "x"}, {"item": ""}}}},
		"no number":                         {"<a>{number as decimal}</a>", nil, connectors.Vars{"number": "many"}},
		"a character that XML has not":      {"<a>{number}</a>", nil, connectors.Vars{"number": "a\x0bb"}},
		"broken text":                       {"<a>{number}</a>", nil, connectors.Vars{"number": "a\xffb"}},
		"UTF-16 without its mark":           {"<a>{number}</a>", map[string]any{"encoding": "utf-16le"}, connectors.Vars{"number": "1"}},
		"a name that the encoding has not":  {"<軸>{number}</軸>", map[string]any{"encoding": "windows-1252"}, connectors.Vars{"number": "1"}},
		"too large":                         {`<a n="{number}">{note}</a>`, nil, connectors.Vars{"number": "1", "note": strings.Repeat("&", 4<<20)}},
		"there already":                     {"<a>{number}</a>", nil, connectors.Vars{"number": "taken"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDrop(t, "out")
			d.put(t, "out/PO_taken.xml", "<a>other</a>")
			if _, err := d.exec(t, document(test.document, test.members), test.vars); failure(t, err).Sent {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff([]string{"PO_taken.xml"}, d.names(t, "out")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
