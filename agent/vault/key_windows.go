package vault

import (
	"fmt"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/windows"
)

// entropy is the second secret-by-obscurity of DPAPI: another program of the machine that calls CryptUnprotectData on
// the file must know it. What keeps others out is the folder's access list.
const entropy = "gantry-agent vault v1"

// checkKeyFile leaves access to the folder's access list, which the installer sets before anything is written.
func checkKeyFile(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a plain file", path)
	}
	return nil
}

// wrapKey seals the key to the machine: a service without a profile, and a later account of the service, can open it.
func wrapKey(key []byte) ([]byte, error) {
	var out windows.DataBlob
	err := windows.CryptProtectData(blob(key), nil, blob([]byte(entropy)), 0, nil,
		windows.CRYPTPROTECT_LOCAL_MACHINE|windows.CRYPTPROTECT_UI_FORBIDDEN, &out)
	if err != nil {
		return nil, fmt.Errorf("protect vault key: %w", err)
	}
	return take(out), nil
}

func unwrapKey(wrapped []byte) ([]byte, error) {
	if len(wrapped) == 0 {
		return nil, fmt.Errorf("vault key file is empty")
	}
	var out windows.DataBlob
	err := windows.CryptUnprotectData(blob(wrapped), nil, blob([]byte(entropy)), 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out)
	if err != nil {
		return nil, fmt.Errorf("unprotect vault key (it opens on the machine that made it alone): %w", err)
	}
	return take(out), nil
}

func blob(b []byte) *windows.DataBlob {
	return &windows.DataBlob{Size: uint32(len(b)), Data: unsafe.SliceData(b)}
}

// take copies what DPAPI allocated and frees it.
func take(b windows.DataBlob) []byte {
	defer windows.LocalFree(windows.Handle(unsafe.Pointer(b.Data))) //nolint:errcheck // nothing can be done
	return append([]byte(nil), unsafe.Slice(b.Data, b.Size)...)
}
