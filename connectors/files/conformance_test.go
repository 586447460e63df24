package files_test

import (
	"testing"

	"gantry/connectors"
	"gantry/connectors/conformance"
	"gantry/connectors/files"
)

func target(root string) connectors.Target {
	return connectors.Target{
		Dialect: "local", Settings: map[string]any{"path": root}, Limits: connectors.Limits{Concurrency: 4},
		OpenPath: func(path string) (string, error) { return path, nil },
	}
}

func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Suite{
		Driver: files.Driver{}, Dialect: "local", Reads: true, Steps: steps,
		Target: func(t testing.TB) connectors.Target {
			root := t.TempDir()
			fill(t, root)
			return target(root)
		},
	})
}
