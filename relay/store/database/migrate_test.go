package database

import "testing"

func TestRecent(t *testing.T) {
	for version, want := range map[string]bool{"3.51.2": false, "3.51.3": true, "3.52.0": true, "3.50.9": false, "4.0.0": true, "odd": false} {
		if recent(version) != want {
			t.Errorf("recent(%s) is %t", version, !want)
		}
	}
}
