package door

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// control has every connection of a listener given up when what was sent is not acknowledged
// (RFC 5482), as gRPC does with connections that it makes itself.
func control(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheard/time.Millisecond))
	})
	return errors.Join(err, set)
}
