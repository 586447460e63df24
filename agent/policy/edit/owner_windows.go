package edit

import (
	"io/fs"
	"os"
)

// keepOwner has nothing to do: a new file inherits the folder's access list.
func keepOwner(*os.File, fs.FileInfo) error { return nil }
