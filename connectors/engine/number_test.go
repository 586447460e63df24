package engine

import "testing"

func TestWholeNumber(t *testing.T) {
	for s, want := range map[string]string{"12": "12", "12.00": "12", "00010": "10", "-007": "-7", "000": "0", "-0": "0", "1.5": "", "x": ""} {
		got, ok := wholeNumber(s)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: %s, %v; want %s", s, got, ok, want)
		}
	}
}
