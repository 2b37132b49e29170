// Package policies answers: which rules came with this program, and which texts? It
// holds files only: gateway/policy judges by them, gateway/wording reads the texts.
package policies

import "embed"

// FS is the whole folder as it was built in, and the default of a gateway that
// has no folder of its own:
//
//	rules/              the tree OPA loads: core, matrix, catalog, overlays
//	cases/<group>/data.yaml  worked cases with the outcome they must have
//	agreements/*.yaml   templates of agreements, and the words for what changes in one
//	reasons/*.yaml      the texts, in Dutch and in English
//	schemas/*.json      the form of requests, decisions and tables
//	capabilities.json   what the rules may call: no clock, network or chance
//	README.md           for privacy officers, in Dutch
//
//go:embed README.md agreements capabilities.json cases reasons rules schemas
var FS embed.FS
