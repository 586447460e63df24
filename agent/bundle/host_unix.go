//go:build !windows

package bundle

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

func systemName() (name string) {
	eachLine("/etc/os-release", func(line string) {
		if value, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			name = strings.Trim(value, `"`)
		}
	})
	return name
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(release))
}

func resolvers() []string {
	all := []string{}
	eachLine("/etc/resolv.conf", func(line string) {
		if words := strings.Fields(line); len(words) > 1 && (words[0] == "nameserver" || words[0] == "search") {
			all = append(all, strings.Join(words, " "))
		}
	})
	return all
}

// routes reads the kernel's main tables (proc(5), and Documentation/networking in the kernel).
func routes() []Route {
	all := []Route{}
	take := func(parse func([]string) (Route, bool)) func(string) {
		return func(line string) {
			if r, ok := parse(strings.Fields(line)); ok && len(all) < maxListed {
				all = append(all, r)
			}
		}
	}
	eachLine("/proc/net/route", take(route4))
	eachLine("/proc/net/ipv6_route", take(route6))
	return all
}

// route4 reads: Iface Destination Gateway Flags RefCnt Use Metric Mask …, addresses as the machine stores them.
func route4(words []string) (Route, bool) {
	if len(words) < 8 {
		return Route{}, false
	}
	to, okTo := native4(words[1])
	via, okVia := native4(words[2])
	mask, err := strconv.ParseUint(words[7], 16, 32)
	metric, errMetric := strconv.Atoi(words[6])
	if !okTo || !okVia || err != nil || errMetric != nil {
		return Route{}, false
	}
	bits := 0
	for ; mask != 0; mask &= mask - 1 {
		bits++
	}
	r := Route{To: netip.PrefixFrom(to, bits).String(), Interface: words[0], Metric: metric}
	if !via.IsUnspecified() {
		r.Via = via.String()
	}
	return r, true
}

func native4(text string) (netip.Addr, bool) {
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil {
		return netip.Addr{}, false
	}
	var a [4]byte
	binary.NativeEndian.PutUint32(a[:], uint32(n))
	return netip.AddrFrom4(a), true
}

// route6 reads: destination length source length gateway metric references use flags interface.
func route6(words []string) (Route, bool) {
	if len(words) < 10 || words[9] == "lo" {
		return Route{}, false
	}
	to, okTo := plain6(words[0])
	via, okVia := plain6(words[4])
	bits, err := strconv.ParseUint(words[1], 16, 8)
	metric, errMetric := strconv.ParseUint(words[5], 16, 32)
	if !okTo || !okVia || err != nil || errMetric != nil || metric == 1<<32-1 {
		return Route{}, false
	}
	r := Route{To: netip.PrefixFrom(to, int(bits)).String(), Interface: words[9], Metric: int(metric)}
	if !via.IsUnspecified() {
		r.Via = via.String()
	}
	return r, true
}

func plain6(text string) (netip.Addr, bool) {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return netip.Addr{}, false
	}
	return netip.AddrFromSlice(raw)
}
