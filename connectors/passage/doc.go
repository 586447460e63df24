// Package passage reads a request of a system's own, as a caller wrote it, into its one canonical form, and writes the answer
// to it: what passes in which header, and what its body is.
//
// The canonical form is what the plant's policy judges and what a driver sends, byte by byte. A path that could be read in two
// ways is refused and never put right.
//
// The package sends nothing and allows nothing; it knows no driver.
package passage
