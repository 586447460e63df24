package bundle

import (
	"bufio"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Host is the machine, as one process sees it.
type Host struct {
	Hostname   string      `json:"hostname"`
	OS         string      `json:"os"`
	Arch       string      `json:"arch"`
	System     string      `json:"system,omitempty"` // Debian GNU/Linux 12 (bookworm)
	Kernel     string      `json:"kernel,omitempty"`
	CPUs       int         `json:"cpus"`
	Go         string      `json:"go"`
	Modules    []Module    `json:"modules"`
	Time       time.Time   `json:"time"`
	Zone       string      `json:"zone"`
	UID        int         `json:"uid"` // -1 on Windows
	Interfaces []Interface `json:"interfaces"`
	Routes     []Route     `json:"routes"`
	Resolvers  []string    `json:"resolvers"`
	Variables  []Variable  `json:"variables"`
	Files      []Stat      `json:"files"` // of the agent's folders: names and sizes
}

// Module is a part of the program.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

// Interface is a network interface.
type Interface struct {
	Name      string   `json:"name"`
	Flags     string   `json:"flags"`
	MTU       int      `json:"mtu"`
	Addresses []string `json:"addresses"`
}

// Route is a way to a network.
type Route struct {
	To        string `json:"to"`
	Via       string `json:"via,omitempty"`
	Interface string `json:"interface"`
	Metric    int    `json:"metric"`
}

// Variable is one of the few of the environment that are looked at.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Stat is a file of the agent's folders. Nothing is read of it.
type Stat struct {
	Name  string    `json:"name"`
	Bytes int64     `json:"bytes"`
	Mode  string    `json:"mode"`
	At    time.Time `json:"at"`
}

// variables are those that say how the program reaches the network and runs. Whatever else stands in the environment is not read.
var variables = []string{
	"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GODEBUG", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "TZ", "LANG", "LOGS_DIRECTORY", "STATE_DIRECTORY", "INVOCATION_ID",
}

// maxListed bounds every list of a Host.
const maxListed = 200

// Here looks at the machine, and into the folders for names.
func Here(folders ...string) *Host {
	hostname, _ := os.Hostname()
	zone, _ := time.Now().Zone()
	h := &Host{
		Hostname: hostname, OS: runtime.GOOS, Arch: runtime.GOARCH, System: systemName(), Kernel: kernel(), CPUs: runtime.NumCPU(), Go: runtime.Version(),
		Modules: []Module{}, Time: time.Now().UTC(), Zone: zone, UID: os.Getuid(),
		Interfaces: interfaces(), Routes: routes(), Resolvers: resolvers(), Variables: []Variable{}, Files: []Stat{},
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			h.Modules = append(h.Modules, Module{m.Path, m.Version})
		}
	}
	for _, name := range variables {
		if value, ok := os.LookupEnv(name); ok {
			h.Variables = append(h.Variables, Variable{name, withoutLogin(value)})
		}
	}
	for _, folder := range folders {
		h.list(folder)
	}
	return h
}

// withoutLogin takes the user and the password out of a URL, also out of one without a scheme.
func withoutLogin(value string) string {
	if u, err := url.Parse(value); err == nil && u.User != nil {
		u.User = nil
		return u.String()
	}
	if at := strings.LastIndexByte(value, '@'); at >= 0 {
		return value[at+1:]
	}
	return value
}

func (h *Host) list(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return // the doctor says why
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || len(h.Files) >= maxListed {
			continue
		}
		h.Files = append(h.Files, Stat{filepath.Join(folder, entry.Name()), info.Size(), info.Mode().String(), info.ModTime().UTC()})
	}
}

func interfaces() []Interface {
	list := []Interface{}
	all, err := net.Interfaces()
	if err != nil {
		return list
	}
	for _, i := range all[:min(len(all), maxListed)] {
		one := Interface{Name: i.Name, Flags: i.Flags.String(), MTU: i.MTU, Addresses: []string{}}
		if addresses, err := i.Addrs(); err == nil {
			for _, a := range addresses[:min(len(addresses), maxListed)] {
				one.Addresses = append(one.Addresses, a.String())
			}
		}
		list = append(list, one)
	}
	return list
}

// eachLine visits the lines of a small file of the system; one that is not there has none.
func eachLine(path string, visit func(line string)) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close() //nolint:errcheck // it was only read
	lines := bufio.NewScanner(f)
	for n := 0; n < 10*maxListed && lines.Scan(); n++ {
		visit(lines.Text())
	}
}
