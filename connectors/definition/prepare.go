package definition

import (
	"errors"
	"io/fs"
	"slices"

	"gantry/connectors"
)

// Faulty is a system that cannot be used, or a file that belongs to none.
type Faulty struct {
	ID       string   `json:"id"` // "": the problems are those of files
	Problems Problems `json:"problems"`
}

// Faulty lists what Load and Prepare left out, with all the reasons.
func (s *Set) Faulty() []Faulty { return slices.Clone(s.faulty) }

// Program gives the compiled form of one of the set's systems; nil: the set is not prepared, or the definition is not of it.
func (s *Set) Program(d *Definition) *Program { return s.programs[d] }

// Prepare compiles every system for the drivers. The new set holds those that compile; the others are Faulty, so that a
// fault is known at the start and not when somebody first calls.
func (s *Set) Prepare(drivers []connectors.Driver) *Set {
	out := &Set{faulty: slices.Clone(s.faulty), programs: make(map[*Definition]*Program, len(s.systems))}
	for _, d := range s.systems {
		program, err := Compile(d, drivers)
		if err != nil {
			out.faulty = append(out.faulty, Faulty{d.Metadata.ID, problemsOf(d.root.file, err)})
			continue
		}
		out.systems = append(out.systems, d)
		out.programs[d] = program
	}
	return out
}

// Lint gives everything that is wrong with some files, by name, laid over the layers below: see LoadFiles.
func Lint(drivers []connectors.Driver, files map[string][]byte, below ...fs.FS) Problems {
	set, err := LoadFiles(files, below...)
	if set == nil {
		return Problems{{Message: err.Error()}}
	}
	return set.Prepare(drivers).problems()
}

// problemsOf gives an error as problems.
func problemsOf(file string, err error) Problems {
	if ps, ok := errors.AsType[Problems](err); ok {
		return ps
	}
	return Problems{{File: file, Message: err.Error()}}
}

// ProblemsOf gives the error of Compile or Over as problems.
func ProblemsOf(err error) Problems { return problemsOf("", err) }
