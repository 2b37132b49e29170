package directory

import (
	"fmt"
	"slices"
	"time"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// Terms are by which a directory is laid under a trust file.
type Terms struct {
	Own      identity.OIN // of which it says nothing
	TrustNew bool         // keys count of parties that the trust file does not know
	// Fresh says that it can be read still. When it cannot, nobody is reached by it any more,
	// and the keys that it has given stay: the log knows them.
	Fresh bool
	Now   time.Time
}

// Under is the trust file with what the directory adds: parties; of those that are there the
// address and the authorities that the trust file leaves open, and keys that the party itself
// has vouched for. What the trust file says it leaves as it is.
func (d *Directory) Under(trust *config.Trust, by Terms) (*config.Trust, error) {
	out := *trust
	out.Parties = slices.Clone(trust.Parties)
	pins, err := trust.Pins()
	if err != nil {
		return nil, err
	}
	codes := map[string]bool{}
	for i, p := range trust.Parties {
		codes[p.Code] = true
		one, listed := d.party(p.OIN)
		if !listed || p.OIN == by.Own {
			continue
		}
		if by.Fresh && p.Gateway == "" {
			out.Parties[i].Gateway = one.Gateway
		}
		if by.Fresh && p.CA == "" {
			out.Parties[i].CAPEM = one.CA
		}
		for _, k := range vouched(p.OIN, pins[p.OIN], one.Keys) {
			if k.begun(by.Now) {
				out.Parties[i].Keys = append(slices.Clone(out.Parties[i].Keys), k.pinned())
			}
		}
	}
	for _, p := range d.Parties {
		known := slices.ContainsFunc(trust.Parties, func(o config.Organisation) bool { return o.OIN == p.OIN })
		if known || codes[p.Code] || p.OIN == by.Own { // the trust file has its own meaning for that code
			continue
		}
		one := config.Organisation{Code: p.Code, OIN: p.OIN, Kind: p.Kind, Name: p.Name, Laws: p.Laws, Gateway: p.Gateway, CAPEM: p.CA, Unlisted: !by.Fresh}
		if by.TrustNew {
			one.LogKeys = p.LogKeys
			for _, k := range p.Keys {
				if k.begun(by.Now) {
					one.Keys = append(one.Keys, k.pinned())
				}
			}
		}
		out.Parties = append(out.Parties, one)
	}
	return &out, nil
}

// follows reports whether one may come after another: of a higher version, and with no key of a
// party that was there which that party has not vouched for.
func (d *Directory) follows(before *Directory) error {
	if before == nil || d.Sum == before.Sum {
		return nil
	}
	if d.Version <= before.Version {
		return ErrVersion
	}
	for _, p := range d.Parties {
		was, there := before.party(p.OIN)
		if !there {
			continue
		}
		known, err := was.keys()
		if err != nil {
			return err
		}
		// The state of a known key is what is said of it now; what it is does not change.
		for i := range known {
			if at := slices.IndexFunc(p.Keys, func(k Key) bool { return k.ID == known[i].ID }); at >= 0 {
				now, err := p.Keys[at].key()
				if err != nil || !same(known[i], now) {
					return fmt.Errorf("%w: a key of %s is another under the same id", ErrDirectory, p.Code)
				}
				known[i] = now
			}
		}
		good := vouched(p.OIN, known, p.Keys)
		for _, k := range p.Keys {
			is := func(id string) bool { return id == k.ID }
			if !slices.ContainsFunc(known, func(o signed.Key) bool { return is(o.ID) }) && !slices.ContainsFunc(good, func(o Key) bool { return is(o.ID) }) {
				return fmt.Errorf("%w: a new key of %s, for which that party has not vouched", ErrDirectory, p.Code)
			}
		}
	}
	return nil
}

func same(a, b signed.Key) bool {
	x, errA := a.Digest()
	y, errB := b.Digest()
	return errA == nil && errB == nil && x == y && a.Alg == b.Alg && kindsOf(a.Kinds) == kindsOf(b.Kinds)
}
