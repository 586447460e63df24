package logs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/configs"
	"gantry/configs/logfile"
)

// at writes a record of ours.
func at(second int, level, rest string) string {
	return fmt.Sprintf("time=2026-03-01T10:00:%02d.000Z level=%s msg=%s", second, level, rest)
}

// disk is a folder with a log of two full files and a current one.
func disk(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.log")
	for name, lines := range map[string][]string{
		"agent-000001.log": {at(1, "INFO", "one"), at(2, "WARN", "two request_id=req_7")},
		"agent-000002.log": {at(3, "INFO", `"a sentence" note="request_id=req_9" request_id=req_8`), at(4, "ERROR", "four"), "goroutine 1 [running]:", "main.main()"},
		"agent.log":        {`{"time":"2026-03-01T10:00:05Z","level":"WARN","msg":"five","request_id":"req_7"}`, at(6, "INFO", "six")},
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func texts(t *testing.T, places Places, o Options) []string {
	t.Helper()
	var all []string
	_, err := Tail(t.Context(), places, o, func(l Line) error {
		all = append(all, l.Text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTail(t *testing.T) {
	path := disk(t)
	all := texts(t, Places{File: path}, Options{})
	if len(all) != 8 || !strings.Contains(all[0], "one") || !strings.HasSuffix(all[7], "six") {
		t.Fatalf("%q", all)
	}
	for _, tt := range []struct {
		name string
		o    Options
		want []string
	}{
		{"the last two", Options{Last: 2}, all[6:]},
		{"the last five, over files", Options{Last: 5}, all[3:]},
		{"since", Options{Since: time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC)}, all[6:]},
		{"warnings, with what belongs to them", Options{Level: slog.LevelWarn}, append(append([]string{all[1]}, all[3:6]...), all[6])},
		{"one call", Options{RequestID: "req_7"}, []string{all[1], all[6]}},
		{"a call that is only quoted", Options{RequestID: "req_9"}, nil},
		{"a call behind a quoted value", Options{RequestID: "req_8"}, all[2:3]},
		{"all together", Options{RequestID: "req_7", Level: slog.LevelWarn, Last: 1}, all[6:7]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, texts(t, Places{File: path}, tt.o)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTailSaysWhereItLooked(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "agent.log")
	looked, err := Tail(t.Context(), Places{File: missing}, Options{}, nil)
	if err != nil || len(looked) != 1 || looked[0].Where != missing || looked[0].Problem == "" {
		t.Errorf("%+v, %v", looked, err)
	}
	if text := Nothing(looked); !strings.Contains(text, missing) {
		t.Error(text)
	}
}

func TestTailEndsWithItsReader(t *testing.T) {
	gone := errors.New("gone")
	_, err := Tail(t.Context(), Places{File: disk(t)}, Options{Follow: true}, func(Line) error { return gone })
	if !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

// TestFollowAcrossRotation writes more than a file holds, faster than it is looked at, and wants every line once.
func TestFollowAcrossRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.log")
	out, err := logfile.Create(path, 2000, 100)
	if err != nil {
		t.Fatal(err)
	}
	logger, end, err := logfile.Logger(configs.Log{MaxSize: 2000, Keep: 100}, path, slog.LevelInfo, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	const before, after = 10, 500
	for i := range before {
		logger.Info("line", "n", i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var writer sync.WaitGroup
	n := 0
	_, err = Tail(ctx, Places{File: path}, Options{Follow: true, Poll: time.Millisecond}, func(l Line) error {
		if want := fmt.Sprintf("n=%d", n); !strings.HasSuffix(l.Text, want) {
			return fmt.Errorf("%s instead of %s", l.Text, want)
		}
		if n++; n == before {
			writer.Go(func() {
				for i := range after {
					logger.Info("line", "n", before+i)
				}
			})
		}
		if n == before+after {
			cancel()
		}
		return nil
	})
	if err != nil || n != before+after {
		t.Errorf("%d lines, %v", n, err)
	}
	writer.Wait()
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

func TestJournalLine(t *testing.T) {
	for _, tt := range []struct{ name, entry, want string }{
		{"the manager's word", `{"MESSAGE":"Started Gantry agent.","PRIORITY":"6","__REALTIME_TIMESTAMP":"1772359205000000"}`, "10:00:05 INFO Started Gantry agent."},
		{"a record of ours", `{"MESSAGE":"time=2026-03-01T10:00:04.000Z level=WARN msg=x request_id=req_1","PRIORITY":"6","__REALTIME_TIMESTAMP":"1772359205000000"}`, "10:00:04 WARN time=2026-03-01T10:00:04.000Z level=WARN msg=x request_id=req_1"},
		{"bytes", `{"MESSAGE":[104,105,255],"PRIORITY":"3","__REALTIME_TIMESTAMP":"1772359205000000"}`, "10:00:05 ERROR hi?"},
		{"too long for the journal", `{"MESSAGE":null,"PRIORITY":"3"}`, ""},
		{"no entry", `nothing`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if l, ok := journalLine([]byte(tt.entry)); ok {
				got = l.Time.Format("15:04:05") + " " + l.Level.String() + " " + l.Text
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestMergeShowsARecordOnce has a warning in the file and in the journal, with the manager's words around it.
func TestMergeShowsARecordOnce(t *testing.T) {
	line := func(source Source, second int, text string) Line {
		return Line{Time: time.Date(2026, 3, 1, 10, 0, second, 0, time.UTC), Source: source, Text: text}
	}
	got := newest([]Line{
		line(FromFile, 2, "info"), line(FromFile, 3, "warning"), line(FromFile, 3, "same"), line(FromFile, 3, "same"),
		line(FromJournal, 1, "Started"), line(FromJournal, 3, "warning"), line(FromJournal, 4, "Killed"),
	}, 100)
	var all []string
	for _, l := range got {
		all = append(all, l.Text)
	}
	if diff := cmp.Diff([]string{"Started", "info", "warning", "same", "same", "Killed"}, all); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(at(1, "INFO", `"x y" request_id="req 1"`))
	f.Add(`{"time":"2026-03-01T10:00:05Z","level":"WARN","msg":"five","request_id":"req_7"}`)
	f.Add(`time=2026-03-01T10:00:05Z level=INFO a="`)
	f.Fuzz(func(t *testing.T, text string) {
		if r, ok := parse(text); ok && r.time.IsZero() && !strings.Contains(text, "0001-01-01") {
			t.Errorf("a record without a time: %q", text)
		}
		_, _ = journalLine([]byte(text))
	})
}
