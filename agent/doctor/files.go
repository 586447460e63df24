package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gantry/tunnel/check"
	"gantry/tunnel/enrol"
)

// Free space of the state's disk, in bytes, below which it is told.
const (
	diskFull = 50 << 20
	diskLow  = 500 << 20
)

func (m *machine) checkDisk(context.Context) check.Outcome {
	folder := existing(m.config.StateDir)
	free, err := freeSpace(folder)
	if err != nil {
		return check.Skip("the system does not tell: " + err.Error())
	}
	said := size(free) + " free for " + folder
	var o check.Outcome
	switch {
	case free < diskFull:
		o = check.Fail("HOST-DISK-FULL", said)
	case free < diskLow:
		o = check.Warn("HOST-DISK-LOW", said)
	default:
		return check.Pass(said)
	}
	return o.With("folder", m.config.StateDir).With("free", size(free))
}

// existing is the folder, or the nearest around it that exists.
func existing(folder string) string {
	for {
		if _, err := os.Stat(folder); err == nil || folder == filepath.Dir(folder) {
			return folder
		}
		folder = filepath.Dir(folder)
	}
}

func size(bytes uint64) string {
	if bytes >= 1<<30 {
		return fmt.Sprintf("%.1f GB", float64(bytes)/(1<<30))
	}
	return fmt.Sprintf("%d MB", bytes>>20)
}

// maxListed bounds how many files are named, and how many of a folder are looked at.
const maxListed, maxFolder = 8, 1000

// list gives a folder's entries; what cannot be read has none.
func list(folder string) []fs.DirEntry {
	f, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer f.Close()                    //nolint:errcheck // it was only read
	entries, _ := f.ReadDir(maxFolder) // what could be read of it
	return entries
}

// folders are where an agent's files lie: of the configuration, the state and the program.
func (m *machine) folders(ctx context.Context) []string {
	all := []string{filepath.Dir(m.ConfigFile), m.config.StateDir}
	if s, err := m.service.get(ctx); err == nil && s.Binary != "" {
		all = append(all, filepath.Dir(s.Binary))
	}
	return all
}

// checkLeftovers looks for what an installation or a crash left behind an hour ago or longer.
func (m *machine) checkLeftovers(ctx context.Context) check.Outcome {
	var found []string
	for _, folder := range m.folders(ctx) {
		for _, entry := range list(folder) {
			info, err := entry.Info()
			if err == nil && left(entry.Name()) && time.Since(info.ModTime()) > time.Hour {
				found = append(found, filepath.Join(folder, entry.Name()))
			}
		}
	}
	if len(found) == 0 {
		return check.Pass("none")
	}
	found = found[:min(len(found), maxListed)]
	return check.Warn("HOST-LEFTOVERS", found...).With("command", command("rm", found))
}

// left tells the names of files that are only there for a moment: while one is replaced, while the vault's key is made.
func left(name string) bool {
	ours := strings.HasPrefix(name, "gantry-agent") || strings.HasPrefix(name, "agent.yaml") || strings.HasPrefix(name, "vault.key.")
	moment := strings.HasSuffix(name, ".new") || strings.HasSuffix(name, ".previous") || strings.HasPrefix(name, "vault.key.")
	return ours && moment
}

// checkToken looks for files that hold an enrolment token.
func (m *machine) checkToken(ctx context.Context) check.Outcome {
	var found []string
	for _, folder := range m.folders(ctx)[:2] {
		for _, entry := range list(folder) {
			path := filepath.Join(folder, entry.Name())
			if entry.Type().IsRegular() && holdsToken(path) {
				found = append(found, path)
			}
		}
	}
	if len(found) == 0 {
		return check.Pass("none")
	}
	found = found[:min(len(found), maxListed)]
	return check.Warn("CFG-TOKEN", found...).With("command", command("rm", found))
}

// holdsToken reads the beginning of a file: a token's file begins with it.
func holdsToken(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // it was only read
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	return bytes.HasPrefix(bytes.TrimSpace(head[:n]), []byte(enrol.Prefix))
}

// command writes one with its files, each quoted where it must be.
func command(what string, files []string) string {
	words := []string{what}
	for _, f := range files {
		if strings.ContainsAny(f, " '\"$\\()&;") {
			f = "'" + strings.ReplaceAll(f, "'", `'\''`) + "'"
		}
		words = append(words, f)
	}
	return strings.Join(words, " ")
}
