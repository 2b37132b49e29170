//go:build !linux

package adapters

import "os"

// keepStdout leaves descriptor 1 where it is: only Linux is supported in full.
func keepStdout() (*os.File, error) { return os.Stdout, nil }
