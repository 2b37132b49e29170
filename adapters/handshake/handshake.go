// Package handshake answers: how do a gateway and a program recognise each other as host
// and adapter? It is what a program in another language must do alike: a line on standard
// output, a pair read from the lifeline, and messages within bounds.
package handshake

import "github.com/hashicorp/go-plugin"

// Name under which the one service of an adapter process is known to go-plugin.
const Name = "adapter"

// LifelineEnv names the environment variable that holds the number of the file
// descriptor of the lifeline: a pipe that closes when the host is gone.
const LifelineEnv = "ONTSCHOT_LIFELINE"

// Protocol is the major version of ontschot.adapter.v1.
const Protocol = 1

// MaxRequest and MaxAnswer bound a message to and from an adapter, in bytes.
const (
	MaxRequest = 1 << 20
	MaxAnswer  = 4 << 20
)

// Config is how host and adapter recognise each other. It keeps a person
// from starting an adapter by hand and is no security measure.
func Config() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion:  Protocol,
		MagicCookieKey:   "ONTSCHOT_ADAPTER",
		MagicCookieValue: "c1b7f0a6-3f1e-4d6e-9f3a-6d0c5c1f7b52",
	}
}
