package installer

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // Windows' own rule for the ids of services
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// serviceSID is the id of a service's own account, by the rule that `sc.exe showsid` follows: it holds before the service
// is there, and nothing has to be asked. MS-DTYP calls it S-1-5-80.
func serviceSID(name string) string {
	var text bytes.Buffer
	for _, unit := range utf16.Encode([]rune(strings.ToUpper(name))) {
		text.Write(binary.LittleEndian.AppendUint16(nil, unit))
	}
	sum := sha1.Sum(text.Bytes()) //nolint:gosec // see above
	sid := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return sid
}

// accessList writes an access in Windows' language for it (SDDL). It is protected: nothing is inherited from
// ProgramData, where everybody may make files. Administrators own the place, so that who made it has no say any more.
func (i Installation) accessList(p Place) string {
	flags := ""
	if p.Kind == Folder {
		flags = "OICI" // what is made inside has it too
	}
	entry := func(rights, who string) string { return fmt.Sprintf("(A;%s;%s;;;%s)", flags, rights, who) }
	const full, change, read = "FA", "0x1301bf", "0x1200a9"
	list := "O:BAD:P" + entry(full, "SY") + entry(full, "BA")
	service := serviceSID(i.Spec.Name)
	switch p.Access {
	case Public:
		list += entry(read, "BU") + entry(read, service)
	case ServiceRead:
		list += entry(read, service)
	case ServiceOwn:
		list += entry(change, service)
	}
	return list
}

// secure gives a place its owner and its access.
func (i Installation) secure(p Place) (Undo, error) {
	if err := i.trusted(p.Path); err != nil {
		return nil, err
	}
	wanted, err := windows.SecurityDescriptorFromString(i.accessList(p))
	if err != nil {
		return nil, fmt.Errorf("write the access list of %s: %w", p.Path, err)
	}
	owner, _, err := wanted.Owner()
	if err != nil {
		return nil, err
	}
	list, _, err := wanted.DACL()
	if err != nil {
		return nil, err
	}
	const what = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	if err := windows.SetNamedSecurityInfo(p.Path, windows.SE_FILE_OBJECT, what, owner, nil, list, nil); err != nil {
		return nil, fmt.Errorf("set the access list of %s: %w", p.Path, explain(err))
	}
	return Kept, nil
}

// trusted refuses a place that somebody without rights prepared: everybody may make folders in ProgramData, and a
// configuration that waits there would become the plant's.
func (i Installation) trusted(path string) error {
	is, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("find the owner of %s: %w", path, explain(err))
	}
	owner, _, err := is.Owner()
	if err != nil {
		return err
	}
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return err
	}
	switch owner.String() {
	case administrators, system, serviceSID(i.Spec.Name), me.User.Sid.String():
		return nil
	}
	return fmt.Errorf("%s belongs to %s, who is no administrator: look what it holds, then remove it", path, owner)
}

// The ids that every Windows has.
const (
	system         = "S-1-5-18"
	administrators = "S-1-5-32-544"
)
