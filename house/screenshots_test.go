//go:build browser

package house

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gantry/house/chromium"
)

var screenshots = flag.String("screenshots", "", "the folder that pictures of every page are written to")

// TestScreenshots takes a picture of every page of the showcase, in light, dark and on a phone, with few colours and so
// small: pngquant does that.
func TestScreenshots(t *testing.T) {
	folder, err := filepath.Abs(*screenshots)
	if err != nil || *screenshots == "" {
		t.Fatal("say where with -screenshots FOLDER")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	empty := openRelay(t)
	tab := chromium.Open(t)
	p := &person{plant: empty, tab: tab, hand: chromium.Mouse{Tab: tab}}
	tab.Go(empty.url)
	p.picture(folder, "sign-in")
	p.signIn()
	p.picture(folder, "empty")
	p.hand.Press("link", "Add a site")
	p.hand.Type("textbox", "Name of the plant", "Plant North")
	p.hand.Press("button", "Add the site")
	tab.Sees("heading", "Install the agent")
	p.picture(folder, "install")

	s := openShowcase(t)
	p.plant = s.plant
	p.signInAt(s.url)
	tab.Sees("heading", "Connections")
	for name, path := range s.pages() {
		tab.Go(s.url + path)
		p.picture(folder, name)
	}
}

func (p *person) picture(folder, name string) {
	p.t.Helper()
	for _, look := range chromium.Looks() {
		p.tab.Wear(look)
		file := filepath.Join(folder, name+"-"+look.Name+".png")
		if err := os.WriteFile(file, p.tab.Picture(), 0o644); err != nil {
			p.t.Fatal(err)
		}
		if out, err := exec.CommandContext(p.t.Context(), "pngquant", "--force", "--ext", ".png", "--quality", "60-90", "--speed", "1", "--strip", file).CombinedOutput(); err != nil {
			p.t.Fatalf("pngquant: %v\n%s", err, out)
		}
	}
}
