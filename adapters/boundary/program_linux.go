package boundary

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

var errTooLarge = errors.New("larger than a program may be")

// sealed copies a file into memory and closes the copy to every change.
func sealed(from io.Reader) (*os.File, error) {
	// Without MFD_EXEC kernels that are told so (vm.memfd_noexec) refuse to run it; before
	// Linux 6.3 it is not known.
	fd, err := unix.MemfdCreate("adapter", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("adapter", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, err
	}
	copied := os.NewFile(uintptr(fd), "adapter")
	n, err := io.Copy(copied, io.LimitReader(from, MostProgram+1))
	if err == nil && n > MostProgram {
		err = errTooLarge
	}
	if err == nil {
		err = copied.Chmod(0o555) // for the user that it will be
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL)
	}
	if err != nil {
		_ = copied.Close()
		return nil, err
	}
	return copied, nil
}
