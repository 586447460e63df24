package main

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// requestStatus calls the relay whose log is in a file, and checks the answer's status: status LOG TOKEN PATH STATUS.
func requestStatus(ts *testscript.TestScript, _ bool, args []string) {
	log := ts.ReadFile(args[0])
	_, rest, _ := strings.Cut(log, "url=")
	base, _, _ := strings.Cut(rest, " ")
	request, err := http.NewRequest(http.MethodGet, base+args[2], nil)
	ts.Check(err)
	request.Header.Set("Authorization", "Bearer "+args[1])
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	ts.Check(response.Body.Close())
	if got := strconv.Itoa(response.StatusCode); got != args[3] {
		ts.Fatalf("%s answers %s, want %s", args[2], got, args[3])
	}
}
