// Package transport answers: how many kilometres may a person travel with Valys,
// the transport beyond the region for people with a mobility impairment? Kilometres
// are a quantity and never euros: no money is read here and none is worked out.
//
// Valys may not be sent a BSN: it knows a traveller by the number of a pass. It has
// no public interface for others; this one is assumed.
package transport

import (
	_ "embed" // the mapping

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/rest"
)

//go:embed mapping.yaml
var mapped []byte

// New gives an adapter of Valys without configuration. It needs a certificate.
func New() adapters.Adapter { return rest.New(mapped) }

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return rest.Tables(mapped) }
