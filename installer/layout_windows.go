package installer

import (
	"os"
	"path/filepath"

	"gantry/configs"
)

// agentName is what the service control manager calls the agent.
const agentName = "GantryAgent"

// AgentLayout is where `gantry-agent install` and the MSI put things.
func AgentLayout() Layout {
	programs := os.Getenv("ProgramFiles")
	if programs == "" {
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
