// Package cak answers: which own contribution does the CAK collect of a person,
// under the Wmo 2015 (article 2.1.4b) and the Wlz (article 3.2.5)? It is not
// deducted from a personal budget and is never summed with one.
//
// The CAK gets its data in batches (iEb messages) and offers parties no public
// query interface: the path and the envelope are assumed.
package cak

import (
	_ "embed" // the mapping

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/rest"
)

//go:embed mapping.yaml
var mapped []byte

// New gives an adapter of the CAK without configuration. It needs a token and a certificate.
func New() adapters.Adapter { return rest.New(mapped) }

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return rest.Tables(mapped) }
