// Package sift filters and orders rows for drivers whose systems do neither: of a file, or of a service that gives its records in an order
// of its own.
//
// An order other than that in which the records come is made in passes: each holds the first rows after where the last one ended, so that
// memory is bounded whatever the number of records, at the price of reading them again.
//
// A list that comes in the system's own order is followed from a Position, which never takes that order of texts for its own.
//
// The package reads nothing itself; it knows no protocol.
package sift
