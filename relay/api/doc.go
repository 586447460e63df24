// Package api is the public HTTP interface of the relay, /api/v1 of the contract.
//
// It parses and bounds what callers send, finds out who they are (package auth), keeps the organisation's own things
// (package store), and carries the calls of connections to their agents (package hub). HTTP ends here: the request that
// an agent gets is built anew from an allow-list, and so is the answer that a caller gets. Every failure is a problem
// document with a request id, and is logged once, here.
//
// The package never interprets a record, never keeps or logs a credential, and holds no more of an answer in memory
// than a fixed buffer, whatever its size and however slowly it is read.
package api
