package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gantry/agent/control"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
)

// TokenFile is the token in the state folder with which a service enrols itself. A package puts it there: when it is
// installed, perhaps on a machine without a network yet, nobody is there to try again.
const TokenFile = "enrolment-token"

// WriteTokenFile leaves a token for the service in the state folder, which is closed to others. Its error is one of
// package enrol's for a text that is no whole token.
func WriteTokenFile(stateDir, text string) error {
	if _, err := enrol.Parse(text); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(stateDir, TokenFile), []byte(text), 0o600); err != nil {
		return fmt.Errorf("leave token: %w", err)
	}
	return nil
}

// The times between two looks for a token, and two tries with one.
const (
	tokenLook = 2 * time.Second
	tokenMin  = 5 * time.Second
	tokenMax  = 5 * time.Minute
)

// enrolByFile waits for a token in the state folder and enrols with it, again and again while the relay cannot be
// reached. It returns when it has, or when ctx ends. The file goes when its token is used up, refused, or over.
func (a *Agent) enrolByFile(ctx context.Context) {
	path := filepath.Join(a.config.StateDir, TokenFile)
	pause := tokenMin
	for {
		text, err := readToken(path)
		next := tokenLook
		switch {
		case errors.Is(err, fs.ErrNotExist):
			pause = tokenMin
		case err != nil:
			a.logger.WarnContext(ctx, "token file not read", "file", path, "error", err)
			next = tokenMax
		default:
			done, err := a.enrolByToken(ctx, path, text)
			if done {
				return
			}
			if err != nil {
				next, pause = pause, min(2*pause, tokenMax)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		}
	}
}

// enrolByToken tries once. The error is of a try that is worth another.
func (a *Agent) enrolByToken(ctx context.Context, path, text string) (done bool, err error) {
	enrolled, err := a.Enrol(ctx, text, false)
	a.tokenProblem.Store(problemOf(err))
	switch {
	case err == nil:
		a.logger.InfoContext(ctx, "enrolled by token file", "agent", enrolled.Agent, "site", enrolled.Site)
	case errors.Is(err, control.ErrEnrolled): // somebody was faster
	case ctx.Err() != nil:
		return false, err
	case hopeless(err) || over(text, time.Now()):
		a.logger.ErrorContext(ctx, "token refused, its file is deleted", "error", err)
	default:
		a.logger.WarnContext(ctx, "not enrolled yet, tries again", "error", err)
		return false, err
	}
	if gone := os.Remove(path); gone != nil {
		a.logger.WarnContext(ctx, "token file not deleted, delete it", "file", path, "error", gone)
	}
	return err == nil || errors.Is(err, control.ErrEnrolled), nil
}

func problemOf(err error) *string {
	if err == nil {
		return nil
	}
	text := err.Error()
	return &text
}

// hopeless tells a token that will never do from a relay, or something on the way to it, that fails now.
func hopeless(err error) bool {
	for _, malformed := range []error{enrol.ErrNotToken, enrol.ErrCut, enrol.ErrMistyped} {
		if errors.Is(err, malformed) {
			return true
		}
	}
	for _, refused := range []fault.Code{fault.AuthenticationFailed, fault.TokenRevoked, fault.Forbidden, fault.InvalidRequest} {
		if fault.Is(err, refused) {
			return true
		}
	}
	return false
}

// over reports whether a token's end is long past, by a clock that may be wrong by hours.
func over(text string, now time.Time) bool {
	token, err := enrol.Parse(text)
	return err == nil && now.After(token.Expires.Add(24*time.Hour))
}

// maxTokenFile bounds what is read of a token's file, in bytes.
const maxTokenFile = 8 << 10

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, maxTokenFile))
	return strings.TrimSpace(string(raw)), err
}
