package adapters

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

// Handshake is how host and adapter recognise each other. It keeps a person
// from starting an adapter by hand and is no security measure.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion:  Protocol,
		MagicCookieKey:   "ONTSCHOT_ADAPTER",
		MagicCookieValue: "c1b7f0a6-3f1e-4d6e-9f3a-6d0c5c1f7b52",
	}
}
