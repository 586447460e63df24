package bundle

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// assignment is a line of a unit that sets variables of the environment.
var assignment = regexp.MustCompile(`(?m)^(\s*(?:Environment|PassEnvironment|SetCredential)=)(.*)$`)

// Definition reads the definition of a service that is a file, systemd's unit with its drop-ins, without the values of its
// environment. Empty: it is none, or cannot be read.
func Definition(unit string) string {
	if !filepath.IsAbs(unit) || filepath.Ext(unit) != ".service" {
		return ""
	}
	files := []string{unit}
	for _, folder := range []string{"/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"} {
		if dropins, err := filepath.Glob(filepath.Join(folder, filepath.Base(unit)+".d", "*.conf")); err == nil { // the pattern is sound
			files = append(files, dropins...)
		}
	}
	var b strings.Builder
	for _, file := range files {
		if text := readSmall(file); text != "" {
			b.WriteString("# " + file + "\n" + assignment.ReplaceAllStringFunc(text, nameOnly) + "\n")
		}
	}
	return b.String()
}

// nameOnly leaves the variable's name of an assignment.
func nameOnly(line string) string {
	key, value, _ := strings.Cut(line, "=")
	name, _, _ := strings.Cut(strings.TrimLeft(value, `"'`), "=")
	name, _, _ = strings.Cut(name, ":") // SetCredential=name:value
	return key + "=" + name + "=..."
}

func readSmall(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxDefinition))
	if err != nil {
		return ""
	}
	return string(text)
}
