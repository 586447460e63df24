package wire

// Paths that the agent serves to support: fixed, read-only runs. A diagnosis of one connection makes only calls that the
// connection may make anyway; the others need the consent of the plant (`support` in agent.yaml).
const (
	// PathDiagnose is POST Diagnose: 200 a report of package check; to whoever accepts NDJSON, its lines (check.Line).
	PathDiagnose = "/v1/diagnose"

	PathBundle = "/v1/bundle" // POST: 200 the support bundle, an archive
	PathLogs   = "/v1/logs"   // GET ?lines=&follow=: 200 text
)

// HeaderActor names who asks for a run of support, for the agent's own record. The agent decides nothing by it.
const HeaderActor = "Gantry-Actor"

// Diagnose asks for a diagnosis.
type Diagnose struct {
	Scope      Scope  `json:"scope"`
	Connection string `json:"connection,omitempty"` // of the scope connection: its id
	Deep       bool   `json:"deep,omitempty"`       // of the scope agent: also what takes long
}

// Scope is what is diagnosed.
type Scope string

// The scopes.
const (
	ScopeAgent      Scope = "agent"
	ScopeConnection Scope = "connection"
)
