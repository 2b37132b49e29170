package adapters

import (
	"os"
	"syscall"
)

// keepStdout moves standard output out of reach and leaves standard error in
// its place, also for code that writes to file descriptor 1 without os.Stdout.
func keepStdout() (*os.File, error) {
	fd, err := syscall.Dup(1)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	if err := syscall.Dup3(2, 1, 0); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "stdout"), nil
}
