package hub

import (
	"net/http/httptest"
	"strings"
	"testing"

	"gantry/connectors/wire"
)

func TestMeasure(t *testing.T) {
	for _, tt := range []struct {
		query        string
		sent         int
		status, size int
	}{
		{"bytes=100000", 0, 200, 100000},
		{"bytes=0", wire.MaxMeasure, 200, 0},
		{"bytes=0", wire.MaxMeasure + 1, 413, -1},
		{"bytes=8388609", 0, 400, -1},
		{"bytes=-1", 0, 400, -1},
		{"", 0, 400, -1},
	} {
		w := httptest.NewRecorder()
		answerMeasure(w, httptest.NewRequest("POST", wire.PathMeasure+"?"+tt.query, strings.NewReader(strings.Repeat("x", tt.sent))))
		if w.Code != tt.status || tt.size >= 0 && w.Body.Len() != tt.size {
			t.Errorf("%q with %d bytes: %d with %d", tt.query, tt.sent, w.Code, w.Body.Len())
		}
	}
}
