package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// record is the small answer: one purchase order as a get gives it, without lines.
var record = []byte(`{"id":"4012","number":"PO-4012","status":{"value":"approved","native_code":"2","native_label":"Approved"},` +
	`"vendor_id":"1580","ordered_at":"2014-09-22T00:00:00Z","currency":"USD","net":"2052.7200","tax":"164.2176","freight":"51.3180",` +
	`"total":"2268.2556","etag":"\"4\"","_actions":["close"],"created_at":null,"updated_at":"2014-09-22T00:00:00Z","deleted_at":null}` + "\n")

// block is a piece of a bulk answer: whole NDJSON lines, about 64 KiB.
var block = bytes.Repeat(record, (64<<10)/len(record))

// endLine closes a whole stream, as the public contract says.
const endLine = "{\"end\":{\"count\":%d}}\n"

// writeRecord answers a small call.
func writeRecord(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(record)))
	_, _ = w.Write(record)
}

// writeBulk streams at least size bytes of NDJSON, or until the reader is gone.
func writeBulk(w http.ResponseWriter, size int64) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	count := 0
	for sent := int64(0); sent < size; sent += int64(len(block)) {
		if _, err := w.Write(block); err != nil {
			return
		}
		count += len(block) / len(record)
	}
	_, _ = fmt.Fprintf(w, endLine, count)
}

// backend is the system behind every road but Gantry's, whose agent serves the same bytes.
func backend() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /record", func(w http.ResponseWriter, _ *http.Request) { writeRecord(w) })
	mux.HandleFunc("GET /bulk", func(w http.ResponseWriter, r *http.Request) {
		size, err := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
		if err != nil {
			http.Error(w, "bytes: a number, please", http.StatusBadRequest)
			return
		}
		writeBulk(w, size)
	})
	return mux
}

// drain reads an answer to its end and gives its length.
func drain(r *http.Response) (int64, error) {
	defer func() { _ = r.Body.Close() }()
	n, err := io.Copy(io.Discard, r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", r.Request.Method, r.Request.URL.Path, r.Status)
	}
	return n, err
}
