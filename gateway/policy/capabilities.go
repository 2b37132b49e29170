package policy

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"

	"github.com/ontschot/ontschot/policies"
)

// readCapabilities reads what the rules of a folder may call: no more than the rules that
// are built in. Errors: ErrRules.
func readCapabilities(fsys fs.FS) (*ast.Capabilities, error) {
	raw, err := readFile(fsys, "capabilities.json")
	if err != nil {
		return nil, err
	}
	own, err := ast.LoadCapabilitiesJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: capabilities.json: %w", ErrRules, err)
	}
	builtin, err := builtinCapabilities()
	if err != nil {
		return nil, err
	}
	if more := wider(own, builtin); len(more) > 0 {
		return nil, Problems{{
			File: "capabilities.json",
			NL:   "dit staat meer toe dan het programma zelf: " + strings.Join(more, ", ") + "; neem het bestand over dat is ingebouwd",
			EN:   "this allows more than the program itself does: " + strings.Join(more, ", ") + "; take the file that is built in",
		}}
	}
	return own, nil
}

// builtinCapabilities are those of the policies that are built in.
var builtinCapabilities = sync.OnceValues(func() (*ast.Capabilities, error) {
	raw, err := fs.ReadFile(policies.FS, "capabilities.json")
	if err != nil {
		return nil, err
	}
	return ast.LoadCapabilitiesJSON(bytes.NewReader(raw))
})

// wider lists what the one has beyond the other. No list of hosts would mean every host.
func wider(own, most *ast.Capabilities) []string {
	var more []string
	for _, b := range own.Builtins {
		same := func(known *ast.Builtin) bool {
			return b.Decl != nil && known.Name == b.Name && types.Compare(known.Decl, b.Decl) == 0
		}
		if !slices.ContainsFunc(most.Builtins, same) {
			more = append(more, b.Name)
		}
	}
	for _, words := range [][2][]string{{own.FutureKeywords, most.FutureKeywords}, {own.Features, most.Features}, {own.AllowNet, most.AllowNet}} {
		for _, word := range words[0] {
			if !slices.Contains(words[1], word) {
				more = append(more, word)
			}
		}
	}
	if own.AllowNet == nil {
		more = append(more, "allow_net")
	}
	if len(own.WasmABIVersions) > len(most.WasmABIVersions) {
		more = append(more, "wasm_abi_versions")
	}
	slices.Sort(more)
	return more
}
