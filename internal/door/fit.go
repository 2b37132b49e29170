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

// Check says what a door would make of limits with the files that this process may open: nil when
// there are enough, a warning when the defaults are less than usual, a problem when there is no
// door. Its key is that of limits in a file, or one below it; it names no file.
func Check(l config.Limits) *config.Problem {
	_, p := fit(l, files())
	return p
}

// fit gives limits that so many descriptors suffice for: callers, strangers and the reserve
// together; and what is wrong, or less than usual.
func fit(l config.Limits, files int) (config.Limits, *config.Problem) {
	set, l := l, l.Complete()
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
	p := &config.Problem{Key: largest(set), Do: "raise that (systemd: LimitNOFILE=8192; a shell: ulimit -n 8192), or set limits lower"}
	if left < l.Connections || l.Connections < min(fewest, left+1) {
		p.What = fmt.Sprintf("limits: %d connections, %d handshakes and %d descriptors in reserve are more than the %d files that this process may open",
			max(l.Connections, fewest), l.Handshakes, l.Descriptors, files)
		return l, p
	}
	if l.ConnectionsPerAddress == 0 {
		l.ConnectionsPerAddress = max(1, l.Connections/2)
	}
	if set.Connections == 0 && l.Connections < enoughConnections || set.Handshakes == 0 && l.Handshakes < enoughHandshakes || set.Descriptors == 0 && l.Descriptors < enoughReserve {
		p.What = fmt.Sprintf("limits: of the %d files that this process may open %d are for connections, %d for handshakes and %d in reserve; the defaults are %d, %d and %d",
			files, l.Connections, l.Handshakes, l.Descriptors, enoughConnections, enoughHandshakes, enoughReserve)
		p.Do, p.Warning = "raise that (systemd: LimitNOFILE=8192; a shell: ulimit -n 8192), or set the three limits to what you want", true
		return l, p
	}
	return l, nil
}

// largest is the key of what takes most descriptors, of those that were set.
func largest(l config.Limits) string {
	key, most := "limits", 0
	for _, one := range []struct {
		key   string
		value int
	}{{"connections", l.Connections}, {"handshakes", l.Handshakes}, {"descriptors_in_reserve", l.Descriptors}} {
		if one.value > most {
			key, most = "limits."+one.key, one.value
		}
	}
	return key
}
