package bundle

import (
	"fmt"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/windows"
)

func systemName() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("Windows %d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}

func kernel() string { return "" }

// resolvers are per adapter there; the doctor's check of names says what they answer.
func resolvers() []string { return []string{} }

// routes reads the system's table (GetIpForwardTable2).
func routes() []Route {
	all := []Route{}
	var table *windows.MibIpForwardTable2
	if windows.GetIpForwardTable2(windows.AF_UNSPEC, &table) != nil {
		return all
	}
	defer windows.FreeMibTable(unsafe.Pointer(table))
	for _, row := range table.Rows() {
		to, ok := address(&row.DestinationPrefix.Prefix)
		if !ok || to.IsMulticast() || len(all) == maxListed {
			continue
		}
		r := Route{To: netip.PrefixFrom(to, int(row.DestinationPrefix.PrefixLength)).String(), Metric: int(row.Metric)}
		if via, ok := address(&row.NextHop); ok && !via.IsUnspecified() {
			r.Via = via.String()
		}
		if i, err := net.InterfaceByIndex(int(row.InterfaceIndex)); err == nil {
			r.Interface = i.Name
		}
		all = append(all, r)
	}
	return all
}

func address(raw *windows.RawSockaddrInet) (netip.Addr, bool) {
	switch raw.Family {
	case windows.AF_INET:
		return netip.AddrFrom4((*windows.RawSockaddrInet4)(unsafe.Pointer(raw)).Addr), true
	case windows.AF_INET6:
		return netip.AddrFrom16((*windows.RawSockaddrInet6)(unsafe.Pointer(raw)).Addr), true
	}
	return netip.Addr{}, false
}
