package proxy

import (
	"errors"
	"fmt"
	"net/url"
	"unsafe"

	"golang.org/x/sys/windows"
)

// winHTTP asks winhttp.dll: first what the administrator set for services (`netsh winhttp set proxy`), then the settings
// of the account that this process runs as: a PAC file, a proxy, detection by WPAD. A PAC file is run by Windows.
type winHTTP struct {
	machine, account, open, forURL, closeHandle, free *windows.LazyProc
}

func system() System {
	dll, kernel := windows.NewLazySystemDLL("winhttp.dll"), windows.NewLazySystemDLL("kernel32.dll")
	return &winHTTP{
		machine: dll.NewProc("WinHttpGetDefaultProxyConfiguration"), account: dll.NewProc("WinHttpGetIEProxyConfigForCurrentUser"),
		open: dll.NewProc("WinHttpOpen"), forURL: dll.NewProc("WinHttpGetProxyForUrl"), closeHandle: dll.NewProc("WinHttpCloseHandle"),
		free: kernel.NewProc("GlobalFree"),
	}
}

// proxyInfo is WINHTTP_PROXY_INFO.
type proxyInfo struct {
	access        uint32
	proxy, bypass *uint16
}

// accountConfig is WINHTTP_CURRENT_USER_IE_PROXY_CONFIG.
type accountConfig struct {
	detect             int32
	pac, proxy, bypass *uint16
}

// autoOptions is WINHTTP_AUTOPROXY_OPTIONS.
type autoOptions struct {
	flags, detect uint32
	pac           *uint16
	reserved      uintptr
	reserved2     uint32
	logon         int32
}

// Numbers of winhttp.h.
const (
	accessDirect   = 1 // WINHTTP_ACCESS_TYPE_NO_PROXY
	accessNamed    = 3 // WINHTTP_ACCESS_TYPE_NAMED_PROXY
	autoDetect     = 1 // WINHTTP_AUTOPROXY_AUTO_DETECT
	autoConfigURL  = 2 // WINHTTP_AUTOPROXY_CONFIG_URL
	detectDHCPDNS  = 3 // WINHTTP_AUTO_DETECT_TYPE_DHCP | _DNS_A
	errorNotFound  = windows.Errno(12180)
	errorNoService = windows.Errno(12178)
)

// For implements System.
func (w *winHTTP) For(target *url.URL) (Setting, error) {
	if err := w.forURL.Find(); err != nil {
		return Setting{}, fmt.Errorf("%s: %w", OriginWindows, err)
	}
	if s, ok := w.ofMachine(target); ok {
		return s, nil
	}
	var config accountConfig
	if done, _, err := w.account.Call(uintptr(unsafe.Pointer(&config))); done == 0 {
		if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
			return Setting{}, nil
		}
		return Setting{}, fmt.Errorf("%s of the account: %w", OriginWindows, err)
	}
	pac, proxy, bypass := w.take(config.pac), w.take(config.proxy), w.take(config.bypass)
	switch {
	case pac != "":
		return w.byScript(target, autoOptions{flags: autoConfigURL, logon: 1}, pac, OriginPAC+" "+pac)
	case proxy != "":
		return setting(target, proxy, bypass, OriginWindows+" of the account"), nil
	case config.detect != 0:
		s, err := w.byScript(target, autoOptions{flags: autoDetect, detect: detectDHCPDNS, logon: 1}, "", OriginWPAD)
		if errors.Is(err, errorNotFound) || errors.Is(err, errorNoService) {
			return Setting{}, nil // there is no WPAD in this network, as in most
		}
		return s, err
	}
	return Setting{}, nil
}

// ofMachine is what `netsh winhttp show proxy` shows.
func (w *winHTTP) ofMachine(target *url.URL) (Setting, bool) {
	var info proxyInfo
	if done, _, _ := w.machine.Call(uintptr(unsafe.Pointer(&info))); done == 0 {
		return Setting{}, false // the account's settings are asked next
	}
	proxy, bypass := w.take(info.proxy), w.take(info.bypass)
	if info.access != accessNamed || proxy == "" {
		return Setting{}, false
	}
	return setting(target, proxy, bypass, OriginWindows+" (netsh winhttp)"), true
}

// byScript lets Windows run a PAC file.
func (w *winHTTP) byScript(target *url.URL, options autoOptions, pac, origin string) (Setting, error) {
	failed := func(err error) (Setting, error) { return Setting{}, fmt.Errorf("%s: %w", origin, err) }
	address, err := windows.UTF16PtrFromString(target.String())
	if err != nil {
		return failed(err)
	}
	if pac != "" {
		if options.pac, err = windows.UTF16PtrFromString(pac); err != nil {
			return failed(err)
		}
	}
	session, _, err := w.open.Call(0, accessDirect, 0, 0, 0)
	if session == 0 {
		return failed(err)
	}
	defer w.closeHandle.Call(session) //nolint:errcheck // nothing was sent by it
	var info proxyInfo
	done, _, err := w.forURL.Call(session, uintptr(unsafe.Pointer(address)), uintptr(unsafe.Pointer(&options)), uintptr(unsafe.Pointer(&info)))
	if done == 0 {
		return failed(err)
	}
	proxy, bypass := w.take(info.proxy), w.take(info.bypass)
	if info.access != accessNamed {
		return Setting{Origin: origin}, nil
	}
	return setting(target, proxy, bypass, origin), nil
}

func setting(target *url.URL, proxy, bypass, origin string) Setting {
	if skips(bypass, target.Hostname()) {
		return Setting{Origin: origin + ", which names the relay as direct"}
	}
	return Setting{Proxy: named(proxy), Origin: origin}
}

// take reads a string that WinHTTP made, and frees it.
func (w *winHTTP) take(text *uint16) string {
	if text == nil {
		return ""
	}
	s := windows.UTF16PtrToString(text)
	_, _, _ = w.free.Call(uintptr(unsafe.Pointer(text))) // what cannot be freed is a few bytes
	return s
}
