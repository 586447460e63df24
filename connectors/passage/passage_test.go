package passage

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

func TestReadHTTP(t *testing.T) {
	p, err := Read([]byte(`{"method":"POST","path":"/a%20b","query":{"q":"x&y","n":12345678901234567890.10,"l":["1",true]},
		"headers":{"if-match":"\"7\""},"body":{"n":1.10}}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Form != connectors.OverHTTP || p.Path != "/a%20b" || p.Query.Encode() != "l=1&l=true&n=12345678901234567890.10&q=x%26y" ||
		p.Header.Get("If-Match") != `"7"` || p.Header.Get("Content-Type") != "application/json" || string(p.Body) != `{"n":1.10}` {
		t.Errorf("%+v %s", p, p.Body)
	}
	for document, want := range map[string]string{
		`{"method":"POST","path":"/","body":"a\r\nb","encoding":"text"}`:                                           "text/plain; charset=utf-8 a\r\nb",
		`{"method":"POST","path":"/","body":"AAE=","encoding":"base64"}`:                                           "application/octet-stream \x00\x01",
		`{"method":"PUT","path":"/","body":"<a/>","encoding":"text","headers":{"Content-Type":"application/xml"}}`: "application/xml <a/>",
		`{"method":"PATCH","path":"/","body":"a","headers":{"Content-Type":"application/merge-patch+json"}}`:       `application/merge-patch+json "a"`,
		`{"method":"DELETE","path":"/","body":null}`:                                                               " ",
	} {
		p, err := Read([]byte(document))
		if got := p.Header.Get("Content-Type") + " " + string(p.Body); err != nil || got != want {
			t.Errorf("%s: %q, %v", document, got, err)
		}
	}
}

func TestReadCall(t *testing.T) {
	p, err := Read([]byte(`{"call":"model.party.party.search","params":[[["name","=","x"]],0,1.10],"named":{"a":null}}`))
	if err != nil || p.Form != connectors.ByMethod || p.Call != "model.party.party.search" || len(p.Params) != 3 || string(p.Params[2]) != "1.10" || len(p.Named) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestReadRefuses(t *testing.T) {
	for document, member := range map[string]string{
		`[]`:                              "body",
		`{}`:                              "method",
		`{"method":"get","path":"/"}`:     "method",
		`{"method":"CONNECT","path":"/"}`: "method",
		`{"method":"GET","path":"/../a"}`: "path",
		`{"method":"GET"}`:                "path",
		`{"method":"GET","path":"/","query":{"a":{"b":1}}}`:                      "query",
		`{"method":"GET","path":"/","query":{"a":[["b"]]}}`:                      "query",
		`{"method":"GET","path":"/","query":{"a":null}}`:                         "query",
		`{"method":"GET","path":"/","query":{"_METHOD":"DELETE"}}`:               "query",
		`{"method":"GET","path":"/","headers":{"Authorization":"Basic x"}}`:      "headers",
		`{"method":"GET","path":"/","headers":{"Cookie":"a=b"}}`:                 "headers",
		`{"method":"GET","path":"/","headers":{"Host":"evil.example"}}`:          "headers",
		`{"method":"GET","path":"/","headers":{"X-HTTP-Method-Override":"PUT"}}`: "headers",
		`{"method":"GET","path":"/","headers":{"Accept":"a\r\nX-Evil: 1"}}`:      "headers",
		`{"method":"GET","path":"/","headers":{"Accept":"a","accept":"b"}}`:      "headers",
		`{"method":"GET","path":"/","body":{}}`:                                  "body",
		`{"method":"POST","path":"/","body":{},"encoding":"text"}`:               "body",
		`{"method":"POST","path":"/","body":"?","encoding":"base64"}`:            "body",
		`{"method":"POST","path":"/","body":"a","encoding":"xml"}`:               "body",
		`{"method":"POST","path":"/","params":[]}`:                               "params",
		`{"call":"a.b","method":"POST"}`:                                         "call",
		`{"call":"a.b","path":"/"}`:                                              "call",
		`{"call":"a..b"}`:                                                        "call",
		`{"call":"/a"}`:                                                          "call",
		`{"call":"a.*"}`:                                                         "call",
		`{"call":"a b"}`:                                                         "call",
	} {
		_, err := Read([]byte(document))
		f := fault.From(err, fault.HopAgent)
		if err == nil || f.Code != fault.InvalidRequest || f.Outcome != fault.NotSent || len(f.Fields) != 1 || f.Fields[0].Name != member {
			t.Errorf("%s: %+v", document, f)
		}
	}
}

func TestWrite(t *testing.T) {
	clean := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("s3cret"), []byte("[redacted]")) }
	for _, test := range []struct{ body, want, encoding string }{
		{"", "null", "json"},
		{`{"n":1.10}`, `{"n":1.10}`, "json"},
		{`{"p":"s3cret"}`, `{"p":"[redacted]"}`, "json"},
		{"<a>s3cret</a>", `"\u003ca\u003e[redacted]\u003c/a\u003e"`, "text"},
		{"a\x00b", `"YQBi"`, "base64"},
		{"\xff", `"/w=="`, "base64"},
		{"\"\xff\"", `"Iv8i"`, "base64"},
	} {
		got := Write(connectors.Passed{Status: 418, Body: []byte(test.body)}, clean)
		if got.Status != 418 || string(got.Body) != test.want || got.Encoding != test.encoding {
			t.Errorf("%q: %s %s", test.body, got.Body, got.Encoding)
		}
	}
	got := Write(connectors.Passed{Header: http.Header{
		"Etag": {`"7"`}, "Set-Cookie": {"a=b"}, "Www-Authenticate": {"Basic"}, "Location": {"/a?t=s3cret"}, "Link": {"<a>", "<b>"},
	}}, clean)
	if len(got.Headers) != 3 || got.Headers["ETag"] != `"7"` || got.Headers["Location"] != "/a?t=[redacted]" || got.Headers["Link"] != "<a>, <b>" {
		t.Errorf("%v", got.Headers)
	}
}

// FuzzRead proves of every document that is taken that nothing in it can stand for a login, another host or another method.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"method":"POST","path":"/a","query":{"q":["x",1]},"headers":{"Accept":"a"},"body":{"n":1.10}}`,
		`{"call":"model.party.party.search","params":[[],1],"named":{"a":null}}`, `{"method":"GET","path":"/","headers":{"cookie":"a"}}`,
		`{"method":"PUT","path":"/a","body":"AAE=","encoding":"base64"}`, `{"query":{"":[]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		p, err := Read(document)
		if err != nil {
			if !fault.Is(err, fault.InvalidRequest) {
				t.Fatalf("%q: %v", document, err)
			}
			return
		}
		if (p.Form == connectors.ByMethod) != (p.Call != "") || (p.Form == connectors.OverHTTP) != (p.Path != "") {
			t.Fatalf("%q is %+v", document, p)
		}
		for name, values := range p.Header {
			if !slices.Contains(requestHeaders, name) || len(values) != 1 || strings.ContainsAny(values[0], "\r\n\x00") {
				t.Fatalf("%q has the header %s: %q", document, name, values)
			}
		}
		if len(p.Query.Encode()) > maxQuery || strings.ContainsAny(p.Query.Encode(), " \r\n#") {
			t.Fatalf("%q has the query %s", document, p.Query.Encode())
		}
	})
}
