package logfile

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"gantry/configs"
)

// Logger makes the logger that a configuration asks for, and what ends it. Without a file, everything goes to the standard error
// that it is given. With one the file has everything, and standard error, which a service manager keeps, warnings and errors:
// so `systemctl status` shows what is wrong, and the log itself has one place. file is Place's.
func Logger(config configs.Log, file string, level slog.Level, stderr io.Writer) (*slog.Logger, func() error, error) {
	if file == "" {
		return slog.New(handler(config.Format, stderr, level)), func() error { return nil }, nil
	}
	out, err := Create(file, config.MaxSize, config.Keep)
	if err != nil {
		return nil, nil, err
	}
	return slog.New(slog.NewMultiHandler(
		handler(config.Format, out, level),
		handler(config.Format, stderr, max(level, slog.LevelWarn)),
	)), out.Close, nil
}

func handler(format string, out io.Writer, level slog.Level) slog.Handler {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.NewJSONHandler(out, options)
	}
	return slog.NewTextHandler(out, options)
}

// Place is where a program logs: into the configured file, else into the folder that a service manager made for it
// (LOGS_DIRECTORY: systemd's LogsDirectory=; the Windows service sets it for itself), under name. Empty: to standard error.
func Place(config configs.Log, name string) string {
	if config.File != "" {
		return config.File
	}
	folder := os.Getenv("LOGS_DIRECTORY")
	if !filepath.IsAbs(folder) { // none, or a list of several, of which none is ours alone
		return ""
	}
	return filepath.Join(folder, name)
}
