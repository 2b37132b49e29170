package documents

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// ErrKeyGone means that a key which the log knows is no longer in the trust file. What
// it signed would count or not by what was left out of a file: the file has to say.
var ErrKeyGone = errors.New("a key is gone from the trust file; put it back, with `lost: true` if somebody else may have it, or `retired` if it signs nothing new")

// RecordKeys writes in the log in which state each key that signs documents is, where
// that is another than the log says, and before it counts: what the documents signed
// with it come to follows from the log. Errors: ErrKeyGone; register.ErrKeyState when
// a key that was lost or retired would be in use again; those of the record.
func (s *Service) RecordKeys(ctx context.Context, pins map[identity.OIN][]signed.Key) error {
	known := s.Documents.Register().Keys()
	here := map[string]bool{}
	for _, owner := range slices.Sorted(maps.Keys(pins)) {
		for _, k := range pins[owner] {
			digest, err := k.Digest()
			if err != nil {
				return err
			}
			here[digest] = true
			state := s.keyState(k)
			if !k.SignsDocuments() || known[digest] == state {
				continue
			}
			if _, err := audit.Append(ctx, s.Record, audit.Entry{
				Kind: audit.Key, Activity: "keys", Organisations: []identity.OIN{owner}, Key: &register.KeyChange{Owner: owner, Digest: digest, State: state},
			}); err != nil {
				return fmt.Errorf("key %s of %s: %w", k.ID, owner, err)
			}
		}
	}
	for digest, state := range known {
		if state != register.Lost && !here[digest] {
			return fmt.Errorf("%w: it begins with %.12s", ErrKeyGone, digest)
		}
	}
	return nil
}

func (s *Service) keyState(k signed.Key) register.KeyState {
	switch {
	case k.Lost:
		return register.Lost
	case !k.Retired.IsZero() && !s.Now().Before(k.Retired):
		return register.Retired
	}
	return register.InUse
}
