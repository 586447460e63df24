package connectors

import (
	"fmt"
	"slices"
	"strings"
)

// Specification says what a driver speaks, in words for people, and what of it was seen to work on what. docs/drivers.md and
// the README are made of it: `make generate`.
type Specification struct {
	Speaks   string   // in a line
	Dialects []Claim  // the words of a definition's `dialect`
	Logins   []Claim  // the ways to log in, as the login's form names them
	Pages    []Claim  // the ways to go from page to page
	Passes   Form     // how its systems take requests of their own (Passer); "": they take none
	Kits     []string // the layers for a system of one's own: "base/rest"
	Limits   string   // what it does not do, and what is weaker than it looks
}

// Claim is one thing that a driver can do.
type Claim struct {
	Name  string // the word that definitions use, or a few for people
	Means string // what the name does not say
	On    string // what it was seen to work on: a system that nobody here wrote; empty: only on servers of the driver's own tests
}

// CheckDialect refuses a dialect that the driver does not have.
func CheckDialect(d Driver, dialect string) error {
	var known []string
	for _, claim := range d.Specification().Dialects {
		known = append(known, claim.Name)
	}
	if slices.Contains(known, dialect) {
		return nil
	}
	return fmt.Errorf("dialect: the %s driver has %s, not %q", d.Name(), strings.Join(known, ", "), dialect)
}
