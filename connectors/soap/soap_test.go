package soap

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/markup"
	"gantry/connectors/web"
)

const create = `<o:CreateOrder xmlns:o="urn:o" kind="{kind?}"><o:Vendor>{vendor}</o:Vendor><o:Day>{day? as date}</o:Day><o:Note>fixed &lt;</o:Note>
	<o:Item gantry:each="lines" no="{index as integer}"><o:Quantity>{quantity as decimal}</o:Quantity></o:Item></o:CreateOrder>`

func rendered(t testing.TB, template string, vars connectors.Vars) (string, error) {
	t.Helper()
	s, err := compile(map[string]any{"body": template})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	err = s.body.Write(&b, filling(vars, nil, 0, 0))
	return b.String(), err
}

func TestTemplate(t *testing.T) {
	vars := connectors.Vars{
		"kind": nil, "vendor": `</o:Vendor><Evil a="1">&x;`, "day": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		"lines": []connectors.Vars{{"index": int64(1), "quantity": "1.50"}, {"index": int64(2), "quantity": "-3"}},
	}
	got, err := rendered(t, create, vars)
	want := `<o:CreateOrder xmlns:o="urn:o"><o:Vendor>&lt;/o:Vendor&gt;&lt;Evil a=&#34;1&#34;&gt;&amp;x;</o:Vendor><o:Day>2026-03-01</o:Day><o:Note>fixed &lt;</o:Note>` +
		`<o:Item no="1"><o:Quantity>1.50</o:Quantity></o:Item><o:Item no="2"><o:Quantity>-3</o:Quantity></o:Item></o:CreateOrder>`
	if err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	for name, test := range map[string]struct {
		change func(connectors.Vars)
		want   string
	}{
		"mandatory element missing":   {func(v connectors.Vars) { v["vendor"] = nil }, "vendor is missing: the system's <o:Vendor>"},
		"mandatory element empty":     {func(v connectors.Vars) { v["vendor"] = "" }, "vendor is missing"},
		"mandatory element of a line": {func(v connectors.Vars) { v["lines"].([]connectors.Vars)[1]["quantity"] = nil }, "lines[1].quantity is missing"},
		"no number":                   {func(v connectors.Vars) { v["lines"].([]connectors.Vars)[0]["quantity"] = "1e9" }, "is no number"},
		"a letter that XML has not":   {func(v connectors.Vars) { v["vendor"] = "a\x00b" }, "XML cannot carry"},
		"no date":                     {func(v connectors.Vars) { v["day"] = "tomorrow" }, "is no date"},
		"unknown parameter":           {func(v connectors.Vars) { delete(v, "vendor") }, "has no value"},
	} {
		vars := connectors.Vars{"kind": "x", "vendor": "V", "day": nil, "lines": []connectors.Vars{{"index": int64(1), "quantity": "1"}, {"index": int64(2), "quantity": "1"}}}
		test.change(vars)
		_, err := rendered(t, create, vars)
		f, ok := errors.AsType[*connectors.Failure](err)
		if !ok || f.Kind != connectors.Misused || !strings.Contains(f.Message, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for name, native := range map[string]map[string]any{
		"nothing":                 {},
		"two elements":            {"body": "<a/><b/>"},
		"not closed":              {"body": "<a><b></a>"},
		"document type":           {"body": "<!DOCTYPE a><a/>"},
		"text with a parameter":   {"body": "<a>No. {x}</a>"},
		"text beside elements":    {"body": "<a>x<b/></a>"},
		"list in a list":          {"body": `<a><b gantry:each="x"><c gantry:each="y"/></b></a>`},
		"outermost in a list":     {"body": `<a gantry:each="x"/>`},
		"unknown member":          {"body": "<a/>", "sql": "x"},
		"pages of a call":         {"body": "<a>{$offset}</a>"},
		"unknown $":               {"body": "<a>{$page}</a>", "records": "b", "columns": map[string]any{"c": "c"}},
		"filter on no column":     {"body": "<a>{=x}</a>", "records": "b", "columns": map[string]any{"c": "c"}},
		"sorted by no column":     {"body": "<a/>", "records": "b", "columns": map[string]any{"c": "c"}, "sorted": []any{"x"}},
		"query without columns":   {"body": "<a/>", "records": "b"},
		"header that breaks out":  {"body": "<a/>", "soap_action": "a\"\r\nX: y"},
		"path that cannot be one": {"body": "<a/>", "records": "b[", "columns": map[string]any{"c": "c"}},
	} {
		if _, err := compile(native); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestDigest takes nonce, time and password that together are the message of SHA-1's own first example, FIPS 180-2, A.1.
func TestDigest(t *testing.T) {
	if got := digest([]byte("a"), "b", "c"); got != "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=" {
		t.Errorf("got %s", got)
	}
}

// service answers every request with the same.
func service(t *testing.T, status int, answer string, seen *[]string, settings map[string]any) connectors.Conn {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*seen = append(*seen, r.Header.Get("Authorization")+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("SOAPAction")+" "+string(body))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	check, err := compile(map[string]any{"body": "<Ping/>", "records": "x", "columns": map[string]any{"a": "a"}})
	if err != nil {
		t.Fatal(err)
	}
	target := connectors.Target{Dialect: "soap11", Check: check, Settings: map[string]any{"address": server.URL, "username": "u<", "login": "basic"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("w0rd")},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}
	maps.Copy(target.Settings, settings)
	if d, ok := settings["dialect"].(string); ok {
		target.Dialect = d
	}
	c, err := (Driver{}).Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestFaults(t *testing.T) {
	const (
		envelope = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>`
		end      = `</s:Body></s:Envelope>`
	)
	for name, test := range map[string]struct {
		status        int
		answer        string
		want, message string
		refused       bool
	}{
		"1.1 with detail": {500, envelope + `<s:Fault><faultcode>s:Server</faultcode><faultstring>Vendor is blocked</faultstring><detail><b:X xmlns:b="u"><b:Code>VENDOR</b:Code></b:X></detail></s:Fault>` + end, "VENDOR", "Vendor is blocked", false},
		"1.1 under 200":   {200, envelope + `<s:Fault><faultcode>s:Client</faultcode><faultstring>No</faultstring></s:Fault>` + end, "Client", "No", false},
		"1.2": {500, `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>m:Timeout</e:Value></e:Subcode></e:Code>` +
			`<e:Reason><e:Text xml:lang="en">Late</e:Text></e:Reason><e:Detail><n>7</n></e:Detail></e:Fault></e:Body></e:Envelope>`, "Timeout", "Late", false},
		"WS-Security":            {500, envelope + `<s:Fault><faultcode>w:FailedAuthentication</faultcode><faultstring>No</faultstring></s:Fault>` + end, "FailedAuthentication", "No", true},
		"401":                    {401, "", "401", "Unauthorized", true},
		"a page for people":      {500, "<html><head><title>Oops</title></head><body>x</body></html>", "500", "Oops", false},
		"200 without envelope":   {200, "<html/>", "answer", "no envelope", false},
		"200 without XML":        {200, "OK", "answer", "cannot be read", false},
		"200 and an empty body":  {200, envelope + end, "answer", "no envelope", false},
		"a document type":        {200, `<!DOCTYPE x [<!ENTITY a "b">]>` + envelope + "<a>&a;</a>" + end, "answer", "document type", false},
		"elements without bound": {200, envelope + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + end, "answer", "deeper", false},
	} {
		t.Run(name, func(t *testing.T) {
			var seen []string
			c := service(t, test.status, test.answer, &seen, nil)
			for range 2 {
				_, err := c.Check(t.Context())
				f, ok := errors.AsType[*connectors.Failure](err)
				if !ok || f.Kind != connectors.Answered || f.Status != test.want || !strings.Contains(f.Message, test.message) || f.Source["refused"] != test.refused {
					t.Fatalf("%+v, %v", f, err)
				}
			}
			if test.refused != (len(seen) == 1) {
				t.Errorf("%d requests", len(seen))
			}
			// After an effect, what cannot be read leaves the outcome open; a fault does not.
			if test.want == "answer" {
				s, err := compile(map[string]any{"body": "<Do/>"})
				if err != nil {
					t.Fatal(err)
				}
				tx, err := c.Begin(t.Context(), false)
				if err != nil {
					t.Fatal(err)
				}
				_, err = tx.Exec(t.Context(), s, nil)
				if f, ok := errors.AsType[*connectors.Failure](err); !ok || !f.Sent || f.Kind != connectors.Lost {
					t.Errorf("an effect: %v", err)
				}
			}
		})
	}
}

func TestRequests(t *testing.T) {
	const answer = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a/></s:Body></s:Envelope>`
	for name, test := range map[string]struct {
		settings map[string]any
		want     []string
	}{
		"basic":  {nil, []string{"Basic dTw6dzByZA== text/xml", `""`, "<e:Body><Ping></Ping></e:Body>", "http://schemas.xmlsoap.org/soap/envelope/"}},
		"text":   {map[string]any{"login": "wsse-text"}, []string{"<wsse:Username>u&lt;</wsse:Username>", `#PasswordText">w0rd</wsse:Password>`, "<wsu:Created>"}},
		"digest": {map[string]any{"login": "wsse-digest"}, []string{`#PasswordDigest">`, "<wsse:Nonce"}},
		"none":   {map[string]any{"login": "none"}, []string{"<e:Body>"}},
		"1.2":    {map[string]any{"dialect": "soap12"}, []string{"application/soap+xml; charset=utf-8", "http://www.w3.org/2003/05/soap-envelope"}},
	} {
		var seen []string
		c := service(t, 200, answer, &seen, test.settings)
		for range 2 {
			if _, err := c.Check(t.Context()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, want := range test.want {
			if !strings.Contains(seen[0], want) {
				t.Errorf("%s: no %s in %s", name, want, seen[0])
			}
		}
		if name == "digest" && (strings.Contains(seen[0], "w0rd") || seen[0] == seen[1]) {
			t.Errorf("the digest shows the password, or is used again: %s", seen[0])
		}
		if name == "none" && strings.Contains(seen[0], "w0rd") {
			t.Error("a login went out that nobody asked for")
		}
	}
}

func TestPageThatRepeats(t *testing.T) {
	var seen []string
	c := service(t, 200, `<Envelope><Body><R><Order><N>1</N></Order></R></Body></Envelope>`, &seen, nil)
	s, err := compile(map[string]any{"body": "<L>{$offset}</L>", "records": "Order", "columns": map[string]any{"n": "N"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, err = range c.Read(t.Context(), connectors.Read{Statement: s}) {
		if err != nil {
			break
		}
	}
	if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Status != statusStrange || len(seen) != 2 {
		t.Errorf("%v after %d requests", err, len(seen))
	}
}

// FuzzAnswer reads whatever bytes as an answer.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`<e:Envelope xmlns:e="x"><e:Body><e:Fault><faultcode>a:b</faultcode><detail><Code>1</Code></detail></e:Fault></e:Body></e:Envelope>`), true)
	f.Add([]byte(`<Envelope><Body><R><Order><N>1</N></Order></R></Body></Envelope>`), false)
	s, err := compile(map[string]any{"body": "<L/>", "records": "Order", "columns": map[string]any{"n": "N as decimal", "d": "@d as date"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, failed bool) {
		status := 200
		if failed {
			status = 500
		}
		element, err := result(&web.Response{Status: status, Header: http.Header{}, Body: body})
		if err != nil {
			if _, ok := errors.AsType[*connectors.Failure](err); !ok {
				t.Fatal(err)
			}
			return
		}
		var records []*markup.Node
		if records, err = s.records.Nodes(element); err != nil {
			t.Fatal(err)
		}
		for _, record := range records {
			_, _ = row(record, s.columns) // it may hold no number
		}
	})
}

// FuzzTemplate: what is rendered is read again as one element with the same text, whatever a caller sends.
func FuzzTemplate(f *testing.F) {
	f.Add("plain", "1")
	f.Add("</a><b>", "]]>")
	s, err := compile(map[string]any{"body": `<a x="{x?}"><b>{b}</b></a>`})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b, x string) {
		var out strings.Builder
		if err := s.body.Write(&out, filling(connectors.Vars{"b": b, "x": x}, nil, 0, 0)); err != nil {
			return
		}
		root, err := markup.Parse([]byte(out.String()))
		if err != nil {
			t.Fatalf("%q: %v", out.String(), err)
		}
		inner := child(child(root, "a"), "b")
		if inner == nil || first(inner) != nil || inner.NextSibling != nil || inner.InnerText() != strings.ToValidUTF8(b, "\uFFFD") {
			t.Fatalf("%q became %s", b, out.String())
		}
	})
}
