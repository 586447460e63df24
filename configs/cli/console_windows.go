package cli

import (
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/windows"
)

// showsEscapes turns on the console's escape sequences, which Windows 10 has and older ones do not.
func showsEscapes(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

// showsUTF8 is true: Go writes to a console in UTF-16, whatever its code page.
func showsUTF8() bool { return true }

// trapDoubleClick tells one who double-clicked the program in the Explorer how to run it. The text is cobra's own
// variable, which is set once, before the one command runs.
func trapDoubleClick(program string) {
	cobra.MousetrapHelpText = program + ` is a program for the command line.

Open the Start menu, type "cmd", choose "Run as administrator", and run there:

  "` + executable(program) + `" --help

`
	cobra.MousetrapDisplayDuration = 0 // until a key is pressed
}

func executable(program string) string {
	path, err := os.Executable()
	if err != nil {
		return program
	}
	return path
}
