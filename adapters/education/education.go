// Package education answers: which support for a pupil does a partnership of
// schools (samenwerkingsverband passend onderwijs, WPO article 18a) pay for? The
// money goes to the school: it may be in a plan and is never pooled.
//
// A partnership may not be sent a BSN: it knows a pupil by the onderwijsnummer.
// There is no national interface; this one is assumed.
package education

import (
	_ "embed" // the mapping

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/rest"
)

//go:embed mapping.yaml
var mapped []byte

// New gives an adapter of a partnership of schools without configuration. It needs a certificate.
func New() adapters.Adapter { return rest.New(mapped) }

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return rest.Tables(mapped) }
