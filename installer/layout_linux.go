package installer

import (
	"path/filepath"

	"gantry/configs"
)

// agentName is what systemd calls the agent.
const agentName = "gantry-agent"

// PackageRemoval says how to remove what a package brought.
const PackageRemoval = "Remove the package: apt-get remove gantry-agent (purge also erases its data), or dnf remove gantry-agent"

// AgentLayout is where `gantry-agent install` puts things; packages put the program in /usr/bin and the unit in
// /usr/lib, and share the rest.
func AgentLayout() Layout {
	return Layout{
		Account: "gantry-agent",
		Binary:  "/usr/local/bin/gantry-agent",
		Config:  configs.DefaultAgentFile(),
		State:   configs.DefaultAgentState(),
		Logs:    "/var/log/gantry-agent",
		Runtime: "/run/gantry-agent",
		Unit:    "/etc/systemd/system/gantry-agent.service",
	}
}

// Folders are those that an installation makes, the outer before the inner. The runtime folder is the manager's to make.
func (l Layout) Folders() []Place {
	return []Place{
		{l.configFolder(), Folder, Public},
		{l.State, Folder, ServiceOwn},
		{l.Logs, Folder, ServiceOwn},
	}
}

func (l Layout) configFolder() string { return filepath.Dir(l.Config) }
