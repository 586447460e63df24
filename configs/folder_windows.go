package configs

import "golang.org/x/sys/windows"

// programData is where the machine's programs keep their data. The environment could say so too, but it belongs to whoever
// starts the program.
func programData() string {
	path, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT)
	if err != nil {
		return `C:\ProgramData`
	}
	return path
}
