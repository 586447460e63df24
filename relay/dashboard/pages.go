package dashboard

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed pages
var sources embed.FS

// pages are the parsed templates, by name.
type pages map[string]*template.Template

// parsePages reads every page beside the layout and the parts (pages/parts) that all of them share.
func parsePages(a *assets) (pages, error) {
	files, err := sources.ReadDir("pages")
	if err != nil {
		return nil, err
	}
	all := pages{}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), path.Ext(f.Name()))
		if name == "layout" || f.IsDir() {
			continue
		}
		t, err := template.New("layout.html").Funcs(functions).Funcs(template.FuncMap{"asset": a.path}).ParseFS(sources, "pages/layout.html", "pages/parts/*.html", "pages/"+f.Name())
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		all[name] = t
	}
	return all, nil
}

// functions are what templates may call.
var functions = template.FuncMap{
	"ago": ago, "exactly": exactly, "word": word, "sign": sign, "tone": tone, "tab": newTab, "ms": milliseconds,
	"hop": hopWords, "scope": scopeWords, "outcome": outcomeWords, "denied": deniedWords,
	"coded": coded, "proved": provedWords, "category": categoryWord, "mark": mark, "ending": ending, "team": team, "road": road,
}

// view is what the layout needs.
type view struct {
	Title    string
	SignedIn bool
	Here     string // the path of the page
	Key      key    // that signed in
	Data     any
}

// tab is one entry of the main navigation.
type tab struct {
	Path, Name string
	Here       bool
}

func newTab(v view, path, name string) tab {
	here := v.Here == path || path != "/" && strings.HasPrefix(v.Here, path+"/") || path == "/" && strings.HasPrefix(v.Here, "/connections/")
	return tab{path, name, here}
}

// headerPart asks for one part of a page alone: those parts that live refresh so.
const headerPart = "Gantry-Part"

// show renders a page of a person who is signed in, or the part of it that is asked for.
func (v *visit) show(status int, page, title string, data any) {
	if part := v.pages[page].Lookup("part-" + v.r.Header.Get(headerPart)); part != nil {
		v.write(v.w, v.r, status, part, data)
		return
	}
	v.render(v.w, v.r, status, page, view{Title: title, SignedIn: true, Here: v.r.URL.Path, Key: v.key, Data: data})
}

// render writes a page whole, or a failure: never half of one.
func (d *Dashboard) render(w http.ResponseWriter, r *http.Request, status int, page string, data view) {
	d.write(w, r, status, d.pages[page], data)
}

func (d *Dashboard) write(w http.ResponseWriter, r *http.Request, status int, t *template.Template, data any) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		d.Logger.Error("page not rendered", "page", t.Name(), "error", err)
		http.Error(w, "The page cannot be made. Its failure stands in the relay's log.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "Accept-Encoding")
	if !unpacks(r) {
		w.WriteHeader(status)
		_, _ = b.WriteTo(w) // the browser may be gone
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	packTo(w, b.Bytes())
}

// part renders a template of a page.
func (d *Dashboard) part(page, name string, data any) (string, error) {
	var b strings.Builder
	err := d.pages[page].ExecuteTemplate(&b, name, data)
	return b.String(), err
}

// ago says how long ago a time is, or how soon it will be, in one unit.
func ago(t *time.Time) string {
	if t == nil {
		return "never"
	}
	d := time.Since(*t)
	form := "%s ago"
	if d < 0 {
		d, form = -d, "in %s"
	}
	switch {
	case d < 2*time.Second:
		return "now"
	case d < 2*time.Minute:
		return fmt.Sprintf(form, fmt.Sprintf("%d s", int(d.Seconds())))
	case d < 2*time.Hour:
		return fmt.Sprintf(form, fmt.Sprintf("%d min", int(d.Minutes())))
	case d < 48*time.Hour:
		return fmt.Sprintf(form, fmt.Sprintf("%d h", int(d.Hours())))
	}
	return fmt.Sprintf(form, fmt.Sprintf("%d days", int(d.Hours()/24)))
}

// exactly writes a time for machines and for those who point at it.
func exactly(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// milliseconds writes a round trip.
func milliseconds(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f ms", *ms)
}

// word writes a value of the API for people: agent_offline is "agent offline".
func word(value any) string { return strings.ReplaceAll(fmt.Sprint(value), "_", " ") }

// The tones of states: a colour, and with sign a shape, for those who do not see the colour.
const (
	good  = "good"
	fair  = "fair"
	bad   = "bad"
	quiet = "quiet"
)

func tone(state any) string {
	switch fmt.Sprint(state) {
	case "active", "idle", "ended well", "delivered", "connected", "working", "reachable", "closed", "OK":
		return good
	case "degraded", "throttled", "half_open", "pending", "running", "held", "waiting", "warning":
		return fair
	case "system_offline", "agent_offline", "reauth_required", "failing", "failed", "disabled", "denied", "open", "offline", "unreachable", "error":
		return bad
	}
	return quiet
}

func sign(state any) string {
	if state == "info" {
		return "i"
	}
	return map[string]string{good: "✓", fair: "!", bad: "✕", quiet: "–"}[tone(state)]
}

// mark is the sign of a step, and ending its word.
func mark(status string) string {
	return map[string]string{"pass": "✓", "warn": "!", "fail": "✕", "skip": "–"}[status]
}

func ending(status string) string {
	return map[string]string{"pass": "in order", "warn": "in order, with a warning", "fail": "failed", "skip": "not looked at", "waiting": "not yet"}[status]
}
