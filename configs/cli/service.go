package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"gantry/configs"
	"gantry/configs/logfile"
)

// UntilSignal gives a context that the first Ctrl-C or SIGTERM ends; a second one has its usual effect and ends the
// program at once. draining, if it is given, is called at the first. stop gives the signals back.
func UntilSignal(ctx context.Context, draining func()) (_ context.Context, stop func()) {
	ctx, release := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	forget := context.AfterFunc(ctx, func() {
		release()
		if draining != nil {
			draining()
		}
	})
	return ctx, func() {
		forget()
		release()
	}
}

// Logger opens the log as the configuration says, in the file of that name where it names only a folder; -v and -q win
// over its level. The function closes it.
func (f *Frame) Logger(config configs.Log, name string) (*slog.Logger, func() error, error) {
	return logfile.Logger(config, logfile.Place(config, name), f.Level(config), f.Talk)
}

// Level is the level of the log: the configuration's, unless -v or -q is given.
func (f *Frame) Level(config configs.Log) slog.Level {
	switch {
	case f.Verbose:
		return slog.LevelDebug
	case f.Quiet:
		return slog.LevelError
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(config.Level)); err != nil { // the configuration was validated
		return slog.LevelInfo
	}
	return level
}
