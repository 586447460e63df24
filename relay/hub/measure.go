package hub

import (
	"io"
	"net/http"
	"strconv"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// answerMeasure swallows what it is sent and answers with zeros, so that an agent can tell how fast the tunnel is.
func answerMeasure(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.Atoi(r.URL.Query().Get("bytes"))
	if err != nil || size < 0 || size > wire.MaxMeasure {
		fault.New(fault.InvalidRequest, "`bytes` is a number up to %d.", wire.MaxMeasure).Write(w)
		return
	}
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, wire.MaxMeasure)); err != nil {
		fault.New(fault.PayloadTooLarge, "A measurement sends up to %d bytes.", wire.MaxMeasure).Write(w)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.CopyN(w, zeros{}, int64(size)) // the agent may be gone: then nobody measures
}

// zeros is a stream of them without end.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
