package control

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

func TestAFolderHasOnePipe(t *testing.T) {
	if socket(`C:\ProgramData\Gantry Agent\state`) != socket(`c:\programdata\gantry agent\STATE\`) {
		t.Error("one folder, two pipes")
	}
	if socket(`C:\a`) == socket(`C:\b`) {
		t.Error("two folders, one pipe")
	}
}

func TestAPipeThatAnotherTookIsAnError(t *testing.T) {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		t.Skip("Wine lets two programs make the first instance of a pipe")
	}
	dir := folder(t)
	squatter, err := winio.ListenPipe(socket(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := Serve(ctx, dir, &fake{}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("the agent serves on another's pipe")
	}
	if err := squatter.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(dir).Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v, want ErrNotRunning", err)
	}
}
