package host

import (
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Wants is what will be asked of an adapter. That it cannot answer is found when it starts,
// and not in somebody's budget.
type Wants struct {
	// Laws that the party is asked about. An adapter without one of them is refused.
	Laws []string
	// Identifier is the number of a person that the party may be sent. An adapter that needs
	// another one is refused. Empty: whatever it needs.
	Identifier string
}

// held holds what an adapter says of itself against what will be asked. The error wraps
// ErrWanted and names the path in what it says.
func (w Wants) held(what *adapterv1.DescribeResponse) error {
	for _, law := range w.Laws {
		if !slices.Contains(what.GetLaws(), law) {
			return fmt.Errorf("%w: laws: it is asked about %s, and has no lines of it", ErrWanted, law)
		}
	}
	for i, id := range what.GetIdentifiers() {
		if w.Identifier != "" && id != w.Identifier {
			return fmt.Errorf("%w: identifiers[%d]: it needs %s, and is sent nothing but %s", ErrWanted, i, id, w.Identifier)
		}
	}
	return nil
}

// Bounds of what an adapter says of itself.
const (
	longestName   = 64
	mostOfAList   = 32
	longestOfList = 128
)

// wellDescribed holds what an adapter says of itself against the closed lists and bounds: it
// is shown to operators, and names what people are told.
func wellDescribed(what *adapterv1.DescribeResponse) error {
	bad := func(path string) error { return fmt.Errorf("%w: %s", ErrDescribed, path) }
	for path, text := range map[string]string{"id": what.GetId(), "version": what.GetVersion()} {
		if text == "" || len(text) > longestName || !budgetv1.Printable(text) {
			return bad(path)
		}
	}
	for path, list := range map[string][]string{
		"laws": what.GetLaws(), "categories": what.GetCategories(), "identifiers": what.GetIdentifiers(),
		"secrets": what.GetSecrets(), "egress": what.GetEgress(), "capabilities": what.GetCapabilities(),
	} {
		if len(list) > mostOfAList || slices.ContainsFunc(list, func(s string) bool {
			return s == "" || len(s) > longestOfList || !budgetv1.Printable(s)
		}) {
			return bad(path)
		}
	}
	if len(what.GetConfigSchema()) > 0 {
		if _, err := adapters.CompileSchema(what.GetConfigSchema()); err != nil {
			return bad("config_schema")
		}
	}
	switch {
	case !all(what.GetLaws(), budgetv1.Laws()):
		return bad("laws: not of the closed list")
	case !all(what.GetCategories(), budgetv1.Categories()):
		return bad("categories: not of the closed list")
	case !all(what.GetIdentifiers(), budgetv1.IdentifierNames()):
		return bad("identifiers: not of the closed list")
	}
	return nil
}

// all reports whether every one is among the known.
func all[K ~string](each []string, known []K) bool {
	return !slices.ContainsFunc(each, func(s string) bool { return !slices.Contains(known, K(s)) })
}
