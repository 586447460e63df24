package configs

import "strings"

// Salvage gives what a service runs with whose agent.yaml is faulty: the keys that are sound, the default where one is
// not, and no policy at all, so that every call is refused. A person then sees the agent in the cloud, and why it does
// nothing, rather than no agent. config and problems are what LoadAgent gave.
func Salvage(config Agent, problems *Problems) Agent {
	usual := DefaultAgent()
	for _, p := range problems.List {
		key, _, _ := strings.Cut(p.Path, ".")
		switch key, _, _ = strings.Cut(key, "["); key {
		case "state_dir":
			config.StateDir = usual.StateDir
		case "proxy":
			config.Proxy = usual.Proxy
		case "ca_file":
			config.CAFile = usual.CAFile
		case "sessions":
			config.Sessions = usual.Sessions
		case "log":
			config.Log = usual.Log
		case "support":
			config.Support = usual.Support
		case "definitions":
			config.Definitions = usual.Definitions
		}
	}
	config.Policy = Policy{}
	return config
}
