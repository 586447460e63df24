package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gantry/tunnel/fault"
)

// sessionLook is how often a stream asks whether its session still holds.
const sessionLook = time.Second

// follow sends a connection's events as they come, as rows of the page's table. The stream ends with the session; a
// browser that lost it comes back with the last event that it has seen.
func (v *visit) follow() error {
	leave := v.whileSignedIn()
	defer leave()
	asked := v.r.URL.Query().Get
	query := filled("after", asked("after"), "level", asked("level"), "entity", asked("entity"), "kind", asked("kind"),
		"request_id", asked("request_id"))
	if !query.Has("after") {
		query.Set("last", strconv.Itoa(eventsShown))
	}
	path := "/connections/" + url.PathEscape(v.r.PathValue("id")) + "/events?" + query.Encode()
	begun := false
	err := v.stream(http.MethodGet, path, eventStream, nil, splitEvents, func(piece []byte) error {
		if !begun {
			begun = true
			v.begin(eventStream)
		}
		return v.retell(piece)
	})
	if begun && v.r.Context().Err() != nil && context.Cause(v.r.Context()) == errNoSession {
		_, _ = v.w.Write([]byte("event: end\ndata:\n\n")) // the browser may be gone
	}
	return err
}

// retell writes an event of the API as what the page shows of it. What is no event (how soon to come back, a beat) passes.
func (v *visit) retell(piece []byte) error {
	fields := map[string]string{}
	for text := range strings.SplitSeq(string(piece), "\n") {
		name, value, _ := strings.Cut(text, ":")
		fields[name] = strings.TrimPrefix(value, " ")
	}
	if fields["data"] == "" || fields["event"] == "end" {
		_, err := v.w.Write(append(piece, "\n\n"...))
		return err
	}
	var e event
	if err := json.Unmarshal([]byte(fields["data"]), &e); err != nil {
		return err
	}
	e.Path = connection{ID: v.r.PathValue("id")}.Path()
	row, err := v.part("connection", "event", e)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "id: %s\nevent: row\n", e.ID)
	for text := range strings.SplitSeq(strings.TrimSpace(row), "\n") {
		fmt.Fprintf(&out, "data: %s\n", text)
	}
	out.WriteByte('\n')
	_, err = out.WriteTo(v.w)
	return err
}

// whileSignedIn ends the visit's context when its session does: signed out everywhere, or too old.
func (v *visit) whileSignedIn() (leave func()) {
	ctx, cancel := context.WithCancelCause(v.r.Context())
	v.r = v.r.WithContext(ctx)
	v.request = v.r
	over := make(chan struct{})
	go func() { // it reads the requests, which are exchanged by now
		defer close(over)
		look := time.NewTicker(sessionLook)
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
			if v.expired() {
				cancel(errNoSession)
				return
			}
		}
	}()
	return func() { cancel(nil); <-over }
}

// expired reports whether the session of the request has ended meanwhile.
func (v *visit) expired() bool {
	if _, err := v.seals.session(v.r); err != nil {
		return true
	}
	err := v.holds()
	return err != nil && refused(err) == nil // what else may be wrong, as a busy relay, ends nothing
}

// diagnosis is what looking along the way of a connection's calls found: POST /connections/{id}/diagnose.
type diagnosis struct {
	Status   string  `json:"status"`
	BrokenAt *string `json:"broken_at"`
	MS       int64   `json:"ms"`
	Hops     []hop   `json:"hops"`
}

// diagnosisPage is a diagnosis for those who could not watch it.
type diagnosisPage struct {
	Back, Name string
	Diagnosis  *diagnosis
	Report     *report
}

// diagnose looks for the broken hop, and tells each hop as it finishes to whoever watches.
func (v *visit) diagnose() error {
	path := "/connections/" + url.PathEscape(v.r.PathValue("id"))
	if v.told() {
		return watch(v, http.MethodPost, path+"/diagnose", nil, "connection", hop.Part, func(d diagnosis) (line, error) {
			html, err := v.part("connection", "diagnosed", d)
			return line{End: html}, err
		})
	}
	p := diagnosisPage{Back: path}
	var c connection
	if err := v.get(path, &c); err != nil {
		return err
	}
	if err := v.call(http.MethodPost, path+"/diagnose", nil, &p.Diagnosis); err != nil {
		return err
	}
	p.Name = c.Name
	v.show(http.StatusOK, "diagnosis", "Diagnosis of "+c.Name, p)
	return nil
}

// examine runs an agent's doctor, likewise.
func (v *visit) examine() error {
	back := "/sites/" + url.PathEscape(v.r.PathValue("id"))
	path := back + "/agents/" + url.PathEscape(v.r.PathValue("agent")) + "/diagnose"
	if v.told() {
		return watch(v, http.MethodPost, path, nil, "site", finding.Part, func(r report) (line, error) {
			html, err := v.part("site", "examined", r)
			return line{End: html}, err
		})
	}
	p := diagnosisPage{Back: back, Name: v.r.PathValue("agent")}
	if err := v.call(http.MethodPost, path, nil, &p.Report); err != nil {
		return err
	}
	v.show(http.StatusOK, "diagnosis", "The agent's own report", p)
	return nil
}

// watch passes on what the API tells step by step: each step as the template that it names, and the end as the page makes
// it. A failure is told as such; the page stays.
func watch[S, E any](v *visit, method, path string, body any, page string, part func(S) (id, template string), end func(E) (line, error)) error {
	begun, failed := false, false
	err := v.stream(method, path, ndjson, body, splitLines, func(piece []byte) error {
		if !begun {
			begun = true
			v.begin(ndjson)
		}
		var told struct {
			Step  *S
			End   *E
			Error json.RawMessage
		}
		if err := json.Unmarshal(piece, &told); err != nil {
			return err
		}
		switch {
		case told.Step != nil:
			if h, ok := any(*told.Step).(hop); ok && h.Status == "fail" {
				failed = true
			}
			id, template := part(*told.Step)
			html, err := v.part(page, template, *told.Step)
			if err != nil {
				return err
			}
			return v.tell(line{ID: id, HTML: html})
		case told.End != nil:
			l, err := end(*told.End)
			if err != nil {
				return err
			}
			return v.tell(l)
		}
		f, err := fault.Decode(bytes.NewReader(told.Error))
		if err != nil {
			return err
		}
		return v.fail(page, f, failed)
	})
	if f := refused(err); f != nil && !begun {
		v.begin(ndjson)
		return v.fail(page, f, failed)
	}
	return err
}

// fail tells whoever watches what went wrong, in the page's own words if it has some; else it marks the hop, too, unless one is marked.
func (v *visit) fail(page string, f *fault.Error, marked bool) error {
	template := "trouble"
	if v.pages[page].Lookup("failed") != nil {
		template = "failed"
	}
	html, err := v.part(page, template, f)
	if err != nil {
		return err
	}
	if h := broken(f); template == "trouble" && h.Hop != "" && !marked {
		mark, err := v.part(page, "hop", h)
		if err != nil {
			return err
		}
		return v.tell(line{ID: h.Key(), HTML: mark, End: html})
	}
	return v.tell(line{End: html})
}

// splitLines parts NDJSON.
func splitLines(data []byte, _ bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	return 0, nil, nil
}
