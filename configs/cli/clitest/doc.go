// Package clitest holds the command lines to what is published of them: docs/cli.md, the man pages in docs/man, and the
// JSON Schemas of the --json documents in docs/schemas.
//
// All of it is generated from the commands and from the Go types of the documents, by the tests of each program
// (`make generate`), which fail when it is stale. A program lists its documents in one place (documents_test.go); a
// command that is not in the list fails, and so does a document that no script has shown: Main, which stands in for the
// program in its testscripts, validates every --json answer against the schema of its command.
//
// The package is for tests alone, and knows no command of either program.
package clitest
