package logs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// booted is there where systemd runs the machine (sd_booted(3)).
const booted = "/run/systemd/system"

// journalTime bounds how long the journal may take for what it holds already.
const journalTime = 10 * time.Second

// openJournal asks the journal of systemd for the unit. nil: there is none on this machine.
func openJournal(ctx context.Context, places Places, o Options) (*past, follower) {
	if places.Unit == "" {
		return nil, nil
	}
	if _, err := os.Stat(booted); err != nil {
		return nil, nil
	}
	p := &past{looked: Looked{Where: "the journal (journalctl -u " + places.Unit + ")"}}
	program, err := exec.LookPath("journalctl")
	if err != nil {
		p.looked.Problem = "there is no journalctl"
		return p, quiet{}
	}
	p.lines, err = readJournal(ctx, program, places.Unit, o)
	if err != nil {
		p.looked.fails(err)
	}
	p.looked.Lines = len(p.lines)
	return p, &journalFollower{program: program, unit: places.Unit, options: o}
}

// readJournal gives what the journal holds. Lines are filtered here, since a level or a call is known from their text: of a rare
// one the newest lines of the journal are searched, not all.
func readJournal(ctx context.Context, program, unit string, o Options) ([]Line, error) {
	ctx, cancel := context.WithTimeout(ctx, journalTime)
	defer cancel()
	last := o.Last
	if o.Level != nil || o.RequestID != "" {
		last = MaxLast
	}
	cmd := exec.CommandContext(ctx, program, journalArgs(unit, o.Since, "--lines="+strconv.Itoa(last))...)
	var trouble bytes.Buffer
	cmd.Stderr = &limited{left: 4 << 10, to: &trouble}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var all []Line
	decode(stdout, func(l Line) bool {
		if o.wants(l) {
			all = append(all, l)
		}
		return len(all) < MaxLast
	})
	if len(all) >= MaxLast {
		cancel() // it would wait for a reader
	}
	if err := cmd.Wait(); err != nil && len(all) == 0 {
		if text := strings.TrimSpace(trouble.String()); text != "" {
			return nil, errors.New(text)
		}
		return nil, err
	}
	return all, nil
}

func journalArgs(unit string, since time.Time, more ...string) []string {
	args := append([]string{"--unit=" + unit, "--output=json", "--no-pager", "--quiet"}, more...)
	if !since.IsZero() {
		args = append(args, "--since=@"+strconv.FormatInt(since.Unix(), 10))
	}
	return args
}

// entry is what is read of an entry of the journal (systemd.journal-fields(7)).
type entry struct {
	Message  json.RawMessage `json:"MESSAGE"` // a text, or an array of bytes where it is no UTF-8, or null where it is too long
	Priority string          `json:"PRIORITY"`
	Realtime string          `json:"__REALTIME_TIMESTAMP"` // microseconds
}

// decode gives the lines of the journal's JSON, one object a line, until take has enough.
func decode(in io.Reader, take func(Line) bool) {
	pieces := &lines{in: bufio.NewReaderSize(in, maxLine)}
	for {
		text, err := pieces.next()
		if err != nil {
			return
		}
		if line, ok := journalLine([]byte(text)); ok && !take(line) {
			return
		}
	}
}

// journalLine reads one entry. A record of ours knows its time and level better than the journal.
func journalLine(data []byte) (Line, bool) {
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return Line{}, false
	}
	text, ok := message(e.Message)
	if !ok {
		return Line{}, false
	}
	line := Line{Source: FromJournal, Text: text, Level: priority(e.Priority)}
	if micros, err := strconv.ParseInt(e.Realtime, 10, 64); err == nil {
		line.Time = time.UnixMicro(micros).UTC()
	}
	if r, ok := parse(text); ok {
		line.Time, line.Level, line.RequestID = r.time, r.level, r.id
	}
	return line, true
}

func message(raw json.RawMessage) (string, bool) {
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		return strings.TrimRight(text, "\r\n"), text != ""
	}
	var octets []uint16 // bytes, which JSON has no text for
	if err := json.Unmarshal(raw, &octets); err != nil {
		return "", false
	}
	binary := make([]byte, len(octets))
	for i, o := range octets {
		binary[i] = byte(o)
	}
	return strings.ToValidUTF8(string(binary), "?"), len(binary) > 0
}

// priority maps syslog's, of which smaller is worse.
func priority(text string) slog.Level {
	switch text {
	case "0", "1", "2", "3":
		return slog.LevelError
	case "4":
		return slog.LevelWarn
	case "7":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// journalFollower reads what comes to the journal.
type journalFollower struct {
	program, unit string
	options       Options
}

// follow implements follower. It owns the journalctl that it starts.
func (j *journalFollower) follow(ctx context.Context, out chan<- Line) {
	cmd := exec.CommandContext(ctx, j.program, journalArgs(j.unit, time.Time{}, "--follow", "--lines=0")...)
	stdout, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return // the file goes on alone
	}
	decode(stdout, func(l Line) bool {
		if !j.options.wants(l) {
			return true
		}
		select {
		case out <- l:
			return true
		case <-ctx.Done():
			return false
		}
	})
	_ = cmd.Wait() // killed when ctx ended
}

// quiet follows nothing.
type quiet struct{}

func (quiet) follow(context.Context, chan<- Line) {}

// limited writes as much as there is room for.
type limited struct {
	left int
	to   io.Writer
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	if _, err := l.to.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}
