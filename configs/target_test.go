package configs

import (
	"net/netip"
	"strings"
	"testing"
)

func TestTargets(t *testing.T) {
	for _, test := range []struct {
		pattern, host string
		port          int
		want          bool
	}{
		{"db.plant.local:5432", "DB.plant.local.", 5432, true},
		{"db.plant.local:5432", "db.plant.local", 5433, false},
		{"db.plant.local:5432", "xdb.plant.local", 5432, false},
		{"*.plant.local:1433", "a.b.plant.local", 1433, true},
		{"*.plant.local:1433", "plant.local", 1433, false},
		{"*.plant.local:1433", "evilplant.local", 1433, false},
		{"*:443", "anything", 443, true},
		{"10.1.2.0/24:5432-5440", "10.1.2.9", 5435, true},
		{"10.1.2.0/24:5432-5440", "10.1.3.9", 5435, false},
		{"10.1.2.9/24:*", "10.1.2.200", 1, true},
		{"[fd00:12::/64]:*", "fd00:12::5", 65535, true},
		{"[::1]:5432", "::1", 5432, true},
		{"10.1.2.7:80", "::ffff:10.1.2.7", 80, true},
		{"server_1:80", "SERVER_1", 80, true},
	} {
		target, err := ParseTarget(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		got := target.Port(test.port) && target.Names(test.host)
		if ip, err := netip.ParseAddr(test.host); err == nil {
			got = target.Port(test.port) && target.Contains(ip)
		}
		if got != test.want {
			t.Errorf("%s covers %s:%d = %v", test.pattern, test.host, test.port, got)
		}
	}
	for _, pattern := range []string{
		"", "db", "db:", "db:0", "db:70000", "db:9-3", "db:x", ":5432", "a..b:1", "*.:1", "a.*.b:1", "**:1", "http://db:80",
		"fd00::1:80", "[fd00::1]", "[db]:80", "10.1.2.300:80", "10.1.2.0/33:80", "-x y:80", "[::ffff:1.2.3.4/120]:1", "fe80::1%eth0:80",
	} {
		if target, err := ParseTarget(pattern); err == nil {
			t.Errorf("%q was accepted as %+v", pattern, target)
		}
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"db:1", "*.x:1-2", "[::1]:*", "10.0.0.0/8:80", "[", ":", "]:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, err := ParseTarget(s)
		if err == nil && (target.Host == "") == !target.Prefix.IsValid() {
			t.Errorf("%q names neither or both of host and network: %+v", s, target)
		}
		if err == nil && strings.ContainsAny(target.Host, " \n'\"$`") {
			t.Errorf("%q has a host that no shell should see", s)
		}
	})
}

func TestRates(t *testing.T) {
	for text, want := range map[string]float64{"20/s": 20, "600/m": 10, "3600/h": 1} {
		if rate, err := ParseRate(text); err != nil || rate.PerSecond() != want {
			t.Errorf("%s: %v, %v", text, rate.PerSecond(), err)
		}
	}
	for _, text := range []string{"20", "0/s", "-1/s", "1/d", "x/s", "20/"} {
		if _, err := ParseRate(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
