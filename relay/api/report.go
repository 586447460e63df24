package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"gantry/connectors/wire"
	"gantry/tunnel/check"
)

// errNoReport is an agent's answer that is none.
var errNoReport = errors.New("no report")

// readReport reads a report, and tells of each result: as it comes, or all of them where the agent is from before that.
func readReport(response *http.Response, tell func(check.Result)) (check.Report, error) {
	source := &io.LimitedReader{R: response.Body, N: maxReport}
	decoder := json.NewDecoder(source)
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != wire.NDJSON {
		var whole check.Report
		if err := decoder.Decode(&whole); err != nil {
			return whole, misread(source, err)
		}
		for _, r := range whole.Results {
			tell(r)
		}
		return whole, sound(whole)
	}
	for {
		var line check.Line
		switch err := decoder.Decode(&line); {
		case err != nil:
			return check.Report{}, misread(source, err)
		case line.End != nil:
			return *line.End, sound(*line.End)
		case line.Step != nil:
			tell(*line.Step)
		}
	}
}

// misread tells an answer that is no report from one that was cut.
func misread(source *io.LimitedReader, err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	if syntax || kind || source.N <= 0 {
		return fmt.Errorf("%w: %w", errNoReport, err)
	}
	return err
}

func sound(r check.Report) error {
	if r.Schema == 0 {
		return fmt.Errorf("%w: it has no schema", errNoReport)
	}
	return nil
}
