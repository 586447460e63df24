package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/trace"
	"strings"
	"time"

	"gantry/agent/bundle"
	"gantry/agent/bundle/proof"
	"gantry/agent/control"
	"gantry/agent/crash"
	"gantry/agent/journal"
	"gantry/agent/logs"
	"gantry/configs"
)

// The flight recording: what the scheduler did lately, at about one per cent of the time that is computed.
const (
	recordedFor = 10 * time.Second
	recordedMax = 1 << 20 // bytes that are kept; a recording may be somewhat larger
)

// bundledLines is how many lines of the log a bundle takes at most.
const bundledLines = 40_000

// Bundle implements control.Source: the archive for support, made and proved here, where the secrets are known. Who asks from afar
// sends no contents, and gets what the service itself can see.
func (a *Agent) Bundle(ctx context.Context, w io.Writer, asked control.BundleRequest) error {
	var c bundle.Contents
	if len(asked.Contents) > 0 {
		if err := json.Unmarshal(asked.Contents, &c); err != nil {
			return fmt.Errorf("read what is to be in the bundle: %w", err)
		}
	}
	options := bundle.Options{Version: a.opts.Version, By: "service", Anonymize: asked.Anonymize}
	secrets, err := a.secrets(ctx)
	if err != nil {
		options.Unproved = "the agent's secrets cannot be known (" + err.Error() + "), so it could not be proved that none is in it"
	}
	options.Secrets = secrets
	if err := a.pack(ctx, &c); err != nil {
		return err
	}
	return bundle.Write(ctx, w, c, options)
}

// secrets are all that this process knows.
func (a *Agent) secrets(ctx context.Context) ([]proof.Secret, error) {
	a.enrolment.Lock()
	defer a.enrolment.Unlock()
	if a.store == nil {
		return nil, errors.New("the agent stops")
	}
	inner, err := a.store.secrets(ctx)
	return append(inner, outerSecrets(a.loaded.Load().config, a.opts.ConfigFile)...), err
}

// pack adds what the running agent knows.
func (a *Agent) pack(ctx context.Context, c *bundle.Contents) error {
	status, err := a.Status(ctx)
	if err != nil {
		return err
	}
	c.Status = &status
	if c.Report == nil {
		report := a.Examine(ctx, false, nil)
		c.Report = &report
	}
	c.Metrics, c.Goroutines = bundle.Metrics(), bundle.Goroutines()
	if r := a.running.Load(); r != nil {
		counts, oldest, err := r.journal.Counts(ctx)
		if err != nil {
			return err
		}
		c.Writes = countedWrites(counts, oldest)
	}
	if flight := a.flight.Load(); flight != nil {
		var recording bytes.Buffer
		if _, err := flight.WriteTo(&recording); err != nil {
			c.Missing = append(c.Missing, bundle.Missing{Name: "trace.out", Why: err.Error()})
		}
		c.Trace = recording.Bytes()
	}
	c.Inside = bundle.Here(a.config.StateDir)
	config := a.loaded.Load().config
	packDisk(ctx, c, config, a.Places())
	return nil
}

// Pack fills the contents of a bundle of an agent that does not run with what the disk tells.
func Pack(ctx context.Context, c *bundle.Contents, config configs.Agent, status control.Status, places logs.Places) {
	c.Status = &status
	packDisk(ctx, c, config, places)
}

// packDisk adds what does not need the agent to run.
func packDisk(ctx context.Context, c *bundle.Contents, config configs.Agent, places logs.Places) {
	c.Config = &config
	var text strings.Builder
	looked, err := logs.Tail(ctx, logs.Places{File: places.File}, logs.Options{Last: bundledLines}, func(l logs.Line) error {
		text.WriteString(l.Text + "\n")
		return nil
	})
	if c.Log = text.String(); err == nil && c.Log == "" {
		c.Missing = append(c.Missing, bundle.Missing{Name: "logs/agent.log", Why: logs.Nothing(looked)})
	}
	for _, path := range crash.Files(crashFolder(places.File, config.StateDir)) {
		if content, err := os.ReadFile(path); err == nil {
			c.Crashes = append(c.Crashes, bundle.Crash{Name: filepath.Base(path), Text: content})
		}
	}
}

func countedWrites(counts map[journal.State]int, oldest time.Time) *bundle.Writes {
	w := &bundle.Writes{ByState: map[string]int{}, Oldest: oldest}
	for state, n := range counts {
		w.ByState[string(state)] = n
	}
	return w
}

// Places are where the agent's log lies, for those who may read it from afar.
func (a *Agent) Places() logs.Places { return logs.Places{File: a.opts.LogFile} }

// crashFolder is beside the log, or where there is none, the state folder.
func crashFolder(logFile, stateDir string) string {
	if logFile == "" {
		return stateDir
	}
	return filepath.Dir(logFile)
}

// record keeps a flight recording and a file for crashes while the agent runs. Of several agents in one process the first records.
func (a *Agent) record(ctx context.Context) (stop func()) {
	flight := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: recordedFor, MaxBytes: recordedMax})
	if err := flight.Start(); err == nil {
		a.flight.Store(flight)
	}
	unwatch, err := crash.Watch(crashFolder(a.opts.LogFile, a.config.StateDir), time.Now())
	if err != nil {
		a.logger.WarnContext(ctx, "crashes leave no file", "error", err)
	}
	return func() {
		if flight := a.flight.Swap(nil); flight != nil {
			flight.Stop()
		}
		if unwatch == nil {
			return
		}
		if err := unwatch(); err != nil {
			a.logger.WarnContext(ctx, "file for crashes not removed", "error", err)
		}
	}
}
