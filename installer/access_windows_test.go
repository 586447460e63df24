package installer

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

func TestServiceSID(t *testing.T) {
	// Windows' own, as `sc.exe showsid TrustedInstaller` prints it.
	const want = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
	if got := serviceSID("TrustedInstaller"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAccessListsAreWhatWindowsReads(t *testing.T) {
	i := Installation{Spec: AgentSpec()}
	service := serviceSID(i.Spec.Name)
	for _, tt := range []struct {
		place Place
		want  string
	}{
		{Place{`C:\x`, Folder, ServiceOwn}, "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;" + service + ")"},
		{Place{`C:\x`, File, Public}, "O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1200a9;;;BU)(A;;0x1200a9;;;" + service + ")"},
	} {
		if got := i.accessList(tt.place); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
		if _, err := windows.SecurityDescriptorFromString(tt.want); err != nil {
			t.Errorf("%s: %v", tt.want, err)
		}
	}
}

func TestAPlaceGetsItsAccess(t *testing.T) {
	i := Installation{Spec: AgentSpec()}
	folder := scratch(t)
	if _, err := i.secure(Place{folder, Folder, ServiceOwn}); err != nil {
		t.Fatal(err)
	}
	got, err := windows.GetNamedSecurityInfo(folder, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		t.Skip("Wine makes modes of access lists")
	}
	if text := got.String(); !strings.Contains(text, serviceSID(i.Spec.Name)) || strings.Contains(text, "BU") {
		t.Errorf("got %s", text)
	}
}

func TestAFolderIsDiscarded(t *testing.T) {
	folder := scratch(t)
	if err := os.MkdirAll(folder+`\a\b`, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder+`\a\b\file`, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := discard(folder); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("it is still there")
	}
	if err := discard(folder); err != nil {
		t.Errorf("what is gone: %v", err)
	}
}

// scratch is a folder that discard takes away: testing's own way does not work in Wine.
func scratch(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "installer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := discard(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}
