// Package store says what the relay remembers: organisations with their credits and keys, sites with their agents,
// connections with the hashes of their tokens, who did what, and the relay's own secrets.
//
// It holds the rows and small interfaces, one per use; Store joins them. Package sqlite is the store of one machine, and
// package storetest is what every store must pass, so that PostgreSQL can follow.
//
// A store keeps no credential of a plant, sealed or not, and of Gantry's own tokens only hashes. Whatever has an owner is
// asked for together with that owner: a row of another organisation is ErrNotFound, like one that never was. Every
// method is one transaction. Ids are made here, sort by age, and lists are in their order. Times are UTC, with
// milliseconds; the zero time means never.
package store
