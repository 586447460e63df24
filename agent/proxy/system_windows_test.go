package proxy

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"

	"golang.org/x/sys/windows/registry"
)

// TestWindowsSettings writes the settings of the account into the registry, as Windows' own dialog does, and
// asks WinHTTP for what it makes of them. It changes the account that runs it, so it wants to be asked for.
func TestWindowsSettings(t *testing.T) {
	if os.Getenv("GANTRY_CHANGE_WINDOWS_SETTINGS") == "" {
		t.Skip("set GANTRY_CHANGE_WINDOWS_SETTINGS=1 in an account whose proxy settings may be lost")
	}
	script := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ns-proxy-autoconfig")
		_, _ = io.WriteString(w, `function FindProxyForURL(url, host) { return host == "relay.example.com" ? "PROXY pac.plant:3128; DIRECT" : "DIRECT"; }`)
	}))
	defer script.Close()
	for _, tt := range []struct {
		name          string
		values        map[string]string
		host          string
		proxy, origin string
	}{
		{"nothing", nil, "relay.example.com", "", ""},
		{"a proxy", map[string]string{"ProxyServer": "http=a:80;https=set.plant:8080"}, "relay.example.com", "set.plant:8080", "Windows settings of the account"},
		{"a host without it", map[string]string{"ProxyServer": "set.plant:8080", "ProxyOverride": "<local>;*.example.com"}, "relay.example.com", "",
			"Windows settings of the account, which names the relay as direct"},
		{"a script", map[string]string{"AutoConfigURL": script.URL + "/proxy.pac"}, "relay.example.com", "pac.plant:3128", "PAC " + script.URL + "/proxy.pac"},
		{"a script that says direct", map[string]string{"AutoConfigURL": script.URL + "/proxy.pac"}, "other.example.com", "", "PAC " + script.URL + "/proxy.pac"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set(t, tt.values)
			got, err := system().For(&url.URL{Scheme: "https", Host: tt.host, Path: "/tunnel"})
			if err != nil || got.Proxy != tt.proxy || got.Origin != tt.origin {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	t.Run("a script that is not there", func(t *testing.T) {
		set(t, map[string]string{"AutoConfigURL": script.URL + "/gone.pac"}) // Windows keeps the one above
		script.Close()
		if got, err := system().For(&url.URL{Scheme: "https", Host: "third.example.com"}); err == nil {
			t.Errorf("%+v", got)
		}
	})
}

// set writes the account's settings: a number of the format, one of changes, flags, and three texts with their lengths.
func set(t *testing.T, values map[string]string) {
	t.Helper()
	const format, direct, named, script = 0x46, 1, 2, 4
	key, _, err := registry.CreateKey(registry.CURRENT_USER, `Software\Microsoft\Windows\CurrentVersion\Internet Settings\Connections`, registry.SET_VALUE)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close() //nolint:errcheck // the value is written
	flags := uint32(direct)
	var texts []byte
	for _, part := range []struct {
		name string
		flag uint32
	}{{"ProxyServer", named}, {"ProxyOverride", 0}, {"AutoConfigURL", script}} {
		if values[part.name] != "" {
			flags |= part.flag
		}
		texts = append(binary.LittleEndian.AppendUint32(texts, uint32(len(values[part.name]))), values[part.name]...)
	}
	var settings []byte
	for _, number := range []uint32{format, 1, flags} {
		settings = binary.LittleEndian.AppendUint32(settings, number)
	}
	settings = append(append(settings, texts...), make([]byte, 32)...)
	if err := key.SetBinaryValue("DefaultConnectionSettings", settings); err != nil {
		t.Fatal(err)
	}
}
