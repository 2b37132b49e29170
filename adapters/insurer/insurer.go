// Package insurer answers: which personal budget for nursing and care does a
// health insurer award (Zvw-pgb, Zorgverzekeringswet article 13a)? There is no
// national interface; this one is of an insurer that offers REST, with amounts
// and dates as Dutch letters have them.
package insurer

import (
	_ "embed" // the mapping

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/rest"
)

//go:embed mapping.yaml
var mapped []byte

// New gives an adapter of an insurer without configuration. It needs a certificate.
func New() adapters.Adapter { return rest.New(mapped) }

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return rest.Tables(mapped) }
