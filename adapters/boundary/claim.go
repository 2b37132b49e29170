package boundary

import (
	"errors"
	"os"
	"syscall"
)

// ErrClaimed means that a folder is held by somebody else, or gone.
var ErrClaimed = errors.New("the folder is somebody else's, or gone")

// Claim locks a folder that was just made, or that may be left of a process that was killed. Only
// who holds the lock may remove it. The system lets it go with the process, however that ends, so
// that a folder whose lock can be had is nobody's. Close what it gives to let it go. Errors:
// ErrClaimed.
func Claim(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrClaimed
	}
	if err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, errors.Join(ErrClaimed, f.Close())
	case err != nil:
		return nil, errors.Join(err, f.Close())
	}
	held, err := f.Stat()
	there, gone := os.Lstat(path)
	if err != nil || gone != nil || !os.SameFile(held, there) {
		return nil, errors.Join(ErrClaimed, f.Close())
	}
	return f, nil
}
