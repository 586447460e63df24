package bundle

import (
	"encoding/json"
	"errors"
	"time"

	"go.yaml.in/yaml/v3"

	"gantry/agent/control"
	"gantry/configs"
	"gantry/tunnel/check"
)

// Contents is everything that can be in a bundle. What is nil or empty is left out. The members with JSON names travel from the
// command line to the running agent; the agent adds the others.
type Contents struct {
	Report     *check.Report `json:"report,omitempty"`     // of the doctor
	Service    *Service      `json:"service,omitempty"`    // as the service manager sees it
	Definition string        `json:"definition,omitempty"` // of the service; foreign
	Host       *Host         `json:"host,omitempty"`       // as the command line sees it
	Journal    string        `json:"journal,omitempty"`    // of the service manager; foreign
	Missing    []Missing     `json:"missing,omitempty"`

	Status     *control.Status `json:"-"`
	Config     *configs.Agent  `json:"-"`
	Inside     *Host           `json:"-"` // as the service sees it: its own environment
	Writes     *Writes         `json:"-"`
	Metrics    []Metric        `json:"-"`
	Goroutines []byte          `json:"-"`
	Trace      []byte          `json:"-"` // a flight recording
	Log        string          `json:"-"` // foreign: it quotes systems and networks
	Crashes    []Crash         `json:"-"` // foreign
}

// Service is the service as its manager sees it.
type Service struct {
	Manager   string    `json:"manager"`
	Installed bool      `json:"installed"`
	Packaged  bool      `json:"packaged"`
	Enabled   bool      `json:"enabled"`
	Running   bool      `json:"running"`
	Phase     string    `json:"phase,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	PID       int       `json:"pid,omitempty"`
	Restarts  int       `json:"restarts"`
	Account   string    `json:"account,omitempty"`
	Binary    string    `json:"binary,omitempty"`
	Unit      string    `json:"unit,omitempty"`
	LastExit  string    `json:"last_exit,omitempty"`
	Sentence  string    `json:"sentence,omitempty"`
}

// Writes counts the entries of the write journal: no key, no record, no answer.
type Writes struct {
	ByState map[string]int `json:"by_state"`
	Oldest  time.Time      `json:"oldest,omitzero"`
}

// Crash is what a process wrote when it ended badly.
type Crash struct {
	Name string
	Text []byte
}

// file is a file of the archive before it is clean.
type file struct {
	name, what string
	data       []byte
	err        error
	foreign    bool // others' words are in it
	binary     bool // it cannot be redacted: with a secret it is left out
	most       int  // bytes; 0: it is small by itself
}

// Bounds of the large files, in bytes.
const (
	maxLog        = 2 << 20
	maxJournal    = 1 << 20
	maxGoroutines = 1 << 20
	maxTrace      = 8 << 20
	maxCrash      = 256 << 10
	maxDefinition = 64 << 10
)

// File is a row of the table of what a bundle holds.
type File struct{ Name, What string }

// The files, in the order of the archive.
var (
	fileReport     = File{"report.json", "What the doctor found, check by check"}
	fileReportText = File{"report.txt", "The same, for people"}
	fileStatus     = File{"status.json", "What `gantry-agent status --json` says"}
	fileConfig     = File{"config.yaml", "The configuration in force. There is no secret in one, and password files are not read"}
	fileService    = File{"service.json", "The service as its manager sees it"}
	fileDefinition = File{"service.txt", "The service's definition (systemd: unit and drop-ins), without the values of its environment"}
	fileHost       = File{"host.json", "The machine as the command line sees it: versions, interfaces, routes, name servers, proxy settings"}
	fileInside     = File{"inside.json", "The same as the service sees it"}
	fileWrites     = File{"writes.json", "How many writes the journal holds, by state"}
	fileMetrics    = File{"metrics.json", "The Go runtime's metrics"}
	fileGoroutines = File{"goroutines.txt", "What every goroutine does"}
	fileTrace      = File{"trace.out", "The last seconds of the scheduler, for `go tool trace`"}
	fileLog        = File{"logs/agent.log", "The newest 2 MiB of the log"}
	fileJournal    = File{"logs/journal.log", "The newest lines of the service manager's journal"}
	fileCrashes    = File{"crashes/", "What processes wrote that ended badly, the newest five"}
	fileManifest   = File{"manifest.json", "This list, with sizes and digests, what is missing and why, and what the archive was searched for"}
)

// Files is the table of what a bundle can hold, for the documentation.
func Files() []File {
	return []File{fileReport, fileReportText, fileStatus, fileConfig, fileService, fileDefinition, fileHost, fileInside, fileWrites,
		fileMetrics, fileGoroutines, fileTrace, fileLog, fileJournal, fileCrashes, fileManifest}
}

// files writes the members down.
func (c Contents) files() []file {
	all := []file{
		document(fileReport, c.Report), {name: fileReportText.Name, what: fileReportText.What, data: reportText(c.Report)},
		document(fileStatus, c.Status), configFile(c.Config), document(fileService, c.Service),
		foreign(fileDefinition, []byte(c.Definition), maxDefinition),
		document(fileHost, c.Host), document(fileInside, c.Inside), document(fileWrites, c.Writes), metricsFile(c.Metrics),
		{name: fileGoroutines.Name, what: fileGoroutines.What, data: c.Goroutines, most: maxGoroutines},
		traceFile(c.Trace),
		foreign(fileLog, []byte(c.Log), maxLog), foreign(fileJournal, []byte(c.Journal), maxJournal),
	}
	for _, crash := range c.Crashes {
		all = append(all, foreign(File{fileCrashes.Name + crash.Name, "What a process wrote that ended badly"}, crash.Text, maxCrash))
	}
	return all
}

func document[T any](f File, of *T) file {
	if of == nil {
		return file{}
	}
	data, err := json.MarshalIndent(of, "", "  ")
	return file{name: f.Name, what: f.What, data: data, err: err}
}

func foreign(f File, data []byte, most int) file {
	return file{name: f.Name, what: f.What, data: data, foreign: true, most: most}
}

func configFile(config *configs.Agent) file {
	if config == nil {
		return file{}
	}
	data, err := yaml.Marshal(config)
	return file{name: fileConfig.Name, what: fileConfig.What, data: data, err: err}
}

func metricsFile(all []Metric) file {
	if len(all) == 0 {
		return file{}
	}
	return document(fileMetrics, &all)
}

// traceFile takes a recording whole or not at all: the half of one cannot be read.
func traceFile(trace []byte) file {
	f := file{name: fileTrace.Name, what: fileTrace.What, data: trace, binary: true}
	if len(trace) > maxTrace {
		f.err = errors.New("it is larger than a bundle takes")
	}
	return f
}
