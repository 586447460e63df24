package policy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"gantry/tunnel/fault"
)

// Path reports whether a local file or folder may be opened, and gives the path to open: absolute, with every link
// resolved, so that what was checked is what is opened. It need not exist yet, and nothing is told about what lies
// outside the allowed folders. The error is POLICY_DENIED of scope connection.
func (p *Policy) Path(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fault.New(fault.ValidationFailed, "The path must be absolute.").At(fault.HopPolicy).
			Reaches(fault.ScopeConnection).Advise("Give the whole path on the agent's host, from the root.")
	}
	path = filepath.Clean(path)
	real, err := resolve(path)
	if err != nil {
		return "", refusePath(path).Because(err)
	}
	for _, own := range []string{p.own.StateDir, p.own.ConfigFile} {
		if own != "" && (within(own, real) || within(own, path)) {
			return "", fault.New(fault.PolicyDenied, "The path belongs to the agent itself, and no policy opens it.").
				Reaches(fault.ScopeConnection).Advise("Keep the plant's files in a folder of their own.")
		}
	}
	if !slices.ContainsFunc(p.paths, func(folder string) bool { return within(folder, real) }) {
		if slices.ContainsFunc(p.paths, func(folder string) bool { return within(folder, path) }) {
			return "", refusePath(real)
		}
		return "", refusePath(path)
	}
	return real, nil
}

func refusePath(path string) *fault.Error {
	folder := filepath.Dir(path)
	if filepath.Dir(folder) == folder { // allowing the root would allow everything
		folder = path
	}
	return denied(fault.ScopeConnection, "allow path "+word(folder), "The plant's policy does not allow the path %s.", path)
}

// within reports whether path is folder or lies in it; folder may itself be reached by links.
func within(folder, path string) bool {
	if real, err := resolve(filepath.Clean(folder)); err == nil {
		folder = real
	}
	relative, err := filepath.Rel(folder, path)
	return err == nil && (relative == "." || filepath.IsLocal(relative))
}

// resolve follows every link of an absolute path. Of a path that does not exist, the part that does is resolved.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real, nil
	}
	parent := filepath.Dir(path)
	if !errors.Is(err, fs.ErrNotExist) || parent == path {
		return "", err
	}
	if _, err := os.Lstat(path); err == nil { // a link to nowhere: where it leads cannot be judged
		return "", fs.ErrNotExist
	}
	if parent, err = resolve(parent); err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(path)), nil
}
