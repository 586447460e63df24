package installer

import (
	"path/filepath"

	"golang.org/x/sys/windows"

	"gantry/configs"
)

// agentName is what the service control manager calls the agent.
const agentName = "GantryAgent"

// PackageRemoval says how to remove what a package brought.
const PackageRemoval = "Remove Gantry Agent in Windows' settings, or: msiexec /x MSI /qn (with PURGE=1 also its data)"

// AgentLayout is where `gantry-agent install` and the MSI put things.
func AgentLayout() Layout {
	programs, err := windows.KnownFolderPath(windows.FOLDERID_ProgramFiles, windows.KF_FLAG_DEFAULT)
	if err != nil {
		programs = `C:\Program Files`
	}
	data := filepath.Dir(configs.DefaultAgentFile())
	return Layout{
		Account: `NT SERVICE\` + agentName,
		Binary:  filepath.Join(programs, "Gantry Agent", "gantry-agent.exe"),
		Config:  configs.DefaultAgentFile(),
		State:   configs.DefaultAgentState(),
		Logs:    filepath.Join(data, "logs"),
	}
}

// Folders are those that an installation makes, the outer before the inner.
func (l Layout) Folders() []Place {
	return []Place{
		{filepath.Dir(l.Binary), Folder, Public},
		{filepath.Dir(l.Config), Folder, ServiceRead},
		{l.State, Folder, ServiceOwn},
		{l.Logs, Folder, ServiceOwn},
	}
}
