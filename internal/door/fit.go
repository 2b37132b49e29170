package door

import (
	"fmt"
	"math"
	"syscall"

	"github.com/ontschot/ontschot/internal/config"
)

// What the defaults come to where there are descriptors enough.
const (
	enoughConnections = 4096
	enoughHandshakes  = 512
	enoughReserve     = 512
	fewest            = 16 // callers, below which nobody is served
)

// files is how many descriptors this process may have open. The runtime of Go has raised the
// soft limit to the hard one by now.
func files() int {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 1024
	}
	return int(min(uint64(r.Cur), math.MaxInt32)) // signed on some systems
}

// fit gives limits that so many descriptors suffice for: callers, strangers and the reserve
// together. Errors: config.ErrConfig.
func fit(l config.Limits, files int) (config.Limits, error) {
	l = l.Complete()
	if l.Descriptors == 0 {
		l.Descriptors = min(enoughReserve, files/4)
	}
	if l.Handshakes == 0 {
		l.Handshakes = min(enoughHandshakes, files/8)
	}
	left := files - l.Descriptors - l.Handshakes
	if l.Connections == 0 {
		l.Connections = min(enoughConnections, left)
	}
	if left < l.Connections || l.Connections < min(fewest, left+1) {
		return l, fmt.Errorf("%w: limits: %d connections, %d handshakes and %d descriptors in reserve are more than the %d files that this process may open; raise that (systemd: LimitNOFILE; a shell: ulimit -n), or set limits lower",
			config.ErrConfig, max(l.Connections, fewest), l.Handshakes, l.Descriptors, files)
	}
	if l.ConnectionsPerAddress == 0 {
		l.ConnectionsPerAddress = max(1, l.Connections/2)
	}
	return l, nil
}
