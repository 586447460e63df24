package odata

import (
	"net/http"
	"os"
	"testing"
	"time"
)

func FuzzModel(f *testing.F) {
	for _, name := range []string{"testdata/v2.xml", "testdata/v4.xml"} {
		document, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(document)
	}
	f.Add([]byte(`<Edmx Version="4.0"><Schema Namespace="a" Alias="b"><EntityType Name="T" BaseType="b.T"><Key/><Property Name="p" Type="b.T"/></EntityType></Schema></Edmx>`))
	f.Fuzz(func(_ *testing.T, document []byte) {
		m, err := readModel(document)
		if err != nil {
			return
		}
		for set, kind := range m.sets {
			m.keys(kind)
			m.isOpen(kind)
			p, _ := m.property(kind, set)
			m.primitive(p)
			m.relation(kind, set)
		}
	})
}

// FuzzTimes: what is read as a time is written as one that reads the same.
func FuzzTimes(f *testing.F) {
	for _, s := range []string{"/Date(1774742400000)/", "/Date(-1+0120)/", "/Date(999999999999999)/", "2026-03-29T02:10:00.123Z", "2026-03-29", "PT13H05M00S", "PT0.5S", "13:05:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := decode(s, "Edm.DateTimeOffset"); err == nil {
			text, err := writer{v4}.text(v, "Edm.DateTimeOffset")
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			again, err := decode(text, "Edm.DateTimeOffset")
			if err != nil || !again.(time.Time).Equal(v.(time.Time).Truncate(100*time.Nanosecond)) {
				t.Errorf("%q is %v, and then %v, %v", s, v, again, err)
			}
		}
		if v, err := decode(s, "Edm.Time"); err == nil {
			if d, err := asDuration(v.(string)); err != nil {
				t.Errorf("%q is %v, which cannot be written: %v, %v", s, v, d, err)
			}
		}
	})
}

func FuzzParts(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 201 X\r\nA: b\r\n\r\n{}\r\n--c--\r\n--b--"), "multipart/mixed; boundary=b")
	f.Add([]byte(`{"responses":[{"id":"1","status":201,"headers":{"a":"b"},"body":{}}]}`), "application/json")
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		parts, err := partsOf(&reply{body: body, header: http.Header{"Content-Type": {kind}}})
		if err != nil {
			return
		}
		for _, p := range parts {
			if p.Status < 100 || p.Status > 599 {
				t.Errorf("status %d", p.Status)
			}
		}
		_, _ = (&conn{w: writer{v4}}).judged(parts, 2)
	})
}

func FuzzFaults(f *testing.F) {
	f.Add([]byte(`{"error":{"code":"1","message":{"value":"x"},"innererror":{"errordetails":[{"code":"2","message":"y","target":"/a(b)/C"}]}}}`))
	f.Add([]byte(`<error><code>1</code><message>x</message></error>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if said := readFault(body); len(said.details) > 3*maxFields+1 {
			t.Errorf("%d details", len(said.details))
		}
	})
}
