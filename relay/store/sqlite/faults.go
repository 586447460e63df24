package sqlite

import (
	"errors"

	"gantry/relay/store/database"
)

// The reasons for which a data folder is not opened.
var (
	ErrInUse     = errors.New("another gantry-relay is using the data folder")
	ErrNewer     = database.ErrNewer
	ErrForeign   = database.ErrForeign
	ErrCorrupt   = database.ErrCorrupt
	ErrOldSQLite = database.ErrOldSQLite
)

// classify names what SQLite's codes mean to us.
func classify(err error) error { return database.Classify(err) }
