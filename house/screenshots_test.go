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

// TestScreenshots takes a picture of everything that there is to see, most of it in light, dark and on a phone, with few
// colours and so small: pngquant does that.
func TestScreenshots(t *testing.T) {
	folder, err := filepath.Abs(*screenshots)
	if err != nil || *screenshots == "" {
		t.Fatal("say where with -screenshots FOLDER")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	p := visitor(t, openRelay(t))
	picture := func(t *testing.T, s sight) { p.picture(t, folder, s) }
	p.look(t, beginnings(), picture)

	s := openShowcase(t)
	p.plant = s.plant
	p.signInAt(s.url)
	p.tab.Sees("heading", "Connections")
	p.look(t, s.sights(), picture)
}

func (p *person) picture(t *testing.T, folder string, s sight) {
	t.Helper()
	looks := chromium.Looks()
	if s.once {
		looks = looks[:1]
	}
	for _, look := range looks {
		p.tab.Wear(look)
		file := filepath.Join(folder, s.name+"-"+look.Name+".png")
		if err := os.WriteFile(file, p.tab.Picture(), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "pngquant", "--force", "--ext", ".png", "--quality", "60-90", "--speed", "3", "--strip", "128", file).CombinedOutput(); err != nil {
			t.Fatalf("pngquant: %v\n%s", err, out)
		}
	}
}
