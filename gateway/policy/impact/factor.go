package impact

import (
	"context"

	"github.com/ontschot/ontschot/gateway/policy"
)

// Factors reports whether the rules of a revision can be taken apart so that everything that
// can be asked of them is counted and not gone through, as Compare does. Errors: ErrFactor.
func Factors(ctx context.Context, core *policy.Core) error {
	words, s := readVocabulary(core, core), newSession()
	for _, kind := range domains() {
		domain, err := kind.domain(words)
		if err != nil {
			return err
		}
		if _, err := newWorld(s, domain).revision(newSource(core)).members(ctx, kind.rule, kind.names()); err != nil {
			return err
		}
	}
	return nil
}
