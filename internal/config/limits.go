package config

import (
	"fmt"
	"time"
)

// Limits bound what callers may hold open, and what they may have written down. The zero value
// has the default everywhere.
type Limits struct {
	// Connections of callers that have shown a certificate, in all; 0: as many as there are file
	// descriptors for, at most 4096.
	Connections int `yaml:"connections,omitempty"`
	// ConnectionsPerAddress bounds those of one address, with or without a certificate; 0: half
	// of connections. An IPv6 address counts with its /64.
	ConnectionsPerAddress int `yaml:"connections_per_address,omitempty"`
	// ConnectionsPerOrganisation bounds those that show a certificate of one organisation; 0: 256.
	ConnectionsPerOrganisation int `yaml:"connections_per_organisation,omitempty"`
	// Handshakes are connections that have not shown a certificate yet, in all; 0: 512. One more
	// has the oldest end, of the address that has most of them.
	Handshakes int `yaml:"handshakes,omitempty"`
	// HandshakesPerAddress bounds those of one address; 0: 64. One more has its oldest end.
	HandshakesPerAddress int `yaml:"handshakes_per_address,omitempty"`
	// HandshakeTimeout is how long a connection may take to show a certificate, and how long
	// after that to begin to speak; empty: 5s.
	HandshakeTimeout string `yaml:"handshake_timeout,omitempty"`
	// HandshakeBytes are read of whoever has not shown a certificate; 0: 65536.
	HandshakeBytes int `yaml:"handshake_bytes,omitempty"`
	// Streams are calls at the same time over one connection, at least 136; 0: 256.
	Streams int `yaml:"streams,omitempty"`
	// MetadataBytes bound the metadata of a call, names and values; 0: 65536, two tokens and more.
	MetadataBytes int `yaml:"metadata_bytes,omitempty"`
	// Descriptors are kept for files, the record, adapters and other gateways; 0: 512, and
	// a quarter of all where there are few.
	Descriptors int `yaml:"descriptors_in_reserve,omitempty"`
	// RefusedLines about refused calls are written in a minute; those beyond it are counted; 0: 600.
	RefusedLines int `yaml:"refused_lines_per_minute,omitempty"`
	// Drain is how long calls under way may take to end after SIGTERM; empty: 30s.
	Drain string `yaml:"drain,omitempty"`
	// DrainNotice is how long health says NOT_SERVING before calls are refused; empty: 0s.
	DrainNotice string `yaml:"drain_notice,omitempty"`
}

// Bounds of what may be set.
const (
	leastConnections = 16 // below it nobody is served
	mostConnections  = 1 << 20
	leastMetadata    = 16 << 10 // a token
	mostMetadata     = 1 << 20
	leastHandshake   = 8 << 10 // a chain of certificates
	leastStreams     = 136     // another gateway puts 128 questions at once, and looks whether we are there
	mostStreams      = 1 << 16
	longestHands     = time.Minute
	longestDrain     = time.Hour
)

// check names what is wrong; empty: nothing.
func (l *Limits) check() []string {
	var all []string
	for _, n := range []struct {
		key               string
		value, least, top int
	}{
		{"connections", l.Connections, leastConnections, mostConnections},
		{"connections_per_address", l.ConnectionsPerAddress, 1, mostConnections},
		{"connections_per_organisation", l.ConnectionsPerOrganisation, 1, mostConnections},
		{"handshakes", l.Handshakes, 1, mostConnections},
		{"handshakes_per_address", l.HandshakesPerAddress, 1, mostConnections},
		{"handshake_bytes", l.HandshakeBytes, leastHandshake, mostMetadata},
		{"streams", l.Streams, leastStreams, mostStreams},
		{"metadata_bytes", l.MetadataBytes, leastMetadata, mostMetadata},
		{"descriptors_in_reserve", l.Descriptors, 64, mostConnections},
		{"refused_lines_per_minute", l.RefusedLines, 1, mostConnections},
	} {
		if n.value != 0 && (n.value < n.least || n.value > n.top) {
			all = append(all, fmt.Sprintf("limits.%s is a number from %d to %d; left out, it has its default", n.key, n.least, n.top))
		}
	}
	for _, d := range []struct {
		key, value  string
		least, most time.Duration
	}{
		{"handshake_timeout", l.HandshakeTimeout, 100 * time.Millisecond, longestHands},
		{"drain", l.Drain, 0, longestDrain},
		{"drain_notice", l.DrainNotice, 0, longestDrain},
	} {
		if took, err := time.ParseDuration(d.value); d.value != "" && (err != nil || took < d.least || took > d.most) {
			all = append(all, fmt.Sprintf("limits.%s is a duration such as 5s, from %s to %s", d.key, d.least, d.most))
		}
	}
	return all
}

// Complete has the defaults where nothing is set. Those that rest on how many files a process
// may open stay as they are.
func (l Limits) Complete() Limits {
	for n, or := range map[*int]int{
		&l.ConnectionsPerOrganisation: 256, &l.HandshakesPerAddress: 64, &l.HandshakeBytes: 64 << 10,
		&l.Streams: 256, &l.MetadataBytes: 64 << 10, &l.RefusedLines: 600,
	} {
		if *n == 0 {
			*n = or
		}
	}
	return l
}

// ForHandshake is HandshakeTimeout.
func (l Limits) ForHandshake() time.Duration { return durationOr(l.HandshakeTimeout, 5*time.Second) }

// ForDrain is Drain.
func (l Limits) ForDrain() time.Duration { return durationOr(l.Drain, 30*time.Second) }

// ForNotice is DrainNotice.
func (l Limits) ForNotice() time.Duration { return durationOr(l.DrainNotice, 0) }

// durationOr is what was written down, and was checked when it was read.
func durationOr(text string, or time.Duration) time.Duration {
	if d, err := time.ParseDuration(text); err == nil {
		return d
	}
	return or
}
