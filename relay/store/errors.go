package store

import "errors"

// What a store refuses. Any other error is a fault of the store itself.
var (
	ErrNotFound = errors.New("no such row")
	ErrState    = errors.New("the row's state does not allow it")

	ErrTooMany   = errors.New("there are as many of these already as there may be")
	ErrNoCredits = errors.New("the organisation has too few credits left")

	ErrTokenUnknown = errors.New("the enrolment token is unknown")
	ErrTokenUsed    = errors.New("the enrolment token has been used")
	ErrTokenExpired = errors.New("the enrolment token has expired")
	ErrSiteDeleted  = errors.New("the enrolment token's site has been deleted")

	ErrRevoked  = errors.New("the agent has been revoked")
	ErrWrongKey = errors.New("the key is not the one that the agent enrolled with")

	// ErrReadOnly: the disk is full or may not be written. What is stored can still be read.
	ErrReadOnly = errors.New("the store cannot be written now")
)
