package dashboard

import "net/url"

// headed is what every page about one connection begins with: its name, its state and the way to the other pages about it.
type headed struct {
	connection
	here string // the last word of the page's path; "": the first page
}

// Tabs are the pages about the connection.
func (h headed) Tabs() []tab {
	all := []tab{{h.Path(), "Overview", h.here == ""}}
	for _, t := range []tab{{Path: "console", Name: "Try it"}, {Path: "capabilities", Name: "Capabilities"}, {Path: "syncs", Name: "Syncs"}, {Path: "events", Name: "Events"}} {
		all = append(all, tab{h.Path() + "/" + t.Path, t.Name, h.here == t.Path})
	}
	return all
}

// head reads the connection of the page.
func (v *visit) head(here string) (headed, error) {
	h := headed{here: here}
	err := v.get("/connections/"+url.PathEscape(v.r.PathValue("id")), &h.connection)
	return h, err
}
