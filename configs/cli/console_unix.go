//go:build !windows

package cli

import "os"

func showsEscapes(*os.File) bool { return true }

func showsUTF8() bool { return utf8Locale(os.Getenv) }

// trapDoubleClick is for Windows: nobody double-clicks here.
func trapDoubleClick(string) {}
