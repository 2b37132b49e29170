package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// pins are the keys of all parties, without one of them.
func (h *house) pins(without signed.Signer) map[identity.OIN][]signed.Key {
	pins := map[identity.OIN][]signed.Key{}
	for _, p := range h.family.Parties {
		for _, k := range []signed.Key{
			{ID: p.Sign.KeyID, Alg: p.Sign.Alg, Public: p.Sign.Key.Public(), Kinds: family.DocumentKinds()},
			{ID: p.Token.KeyID, Alg: p.Token.Alg, Public: p.Token.Key.Public(), Kinds: []signed.Kind{signed.Token}},
		} {
			if p.OIN != without.Issuer || k.ID != without.KeyID {
				pins[p.OIN] = append(pins[p.OIN], k)
			}
		}
	}
	return pins
}

// A key is taken out of the trust at every point of a request. Nothing that it signed
// is released from then on: the request is refused, or answered without it.
func TestNothingIsReleasedOnAKeyThatIsNotTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		key  func(h *house) signed.Signer
		gone [][2]string // what rests on it, if anything is released at all
		ways []string
	}{
		"of another party's agreements": {
			func(h *house) signed.Signer { return h.family.Parties["ZK5503"].Sign }, [][2]string{{"P", "ZK5503"}, {"Q", "ZK5503"}},
			nil,
		},
		"of the keeper of the consents": {
			func(h *house) signed.Signer { return h.family.Requester().Sign }, pairs(),
			nil,
		},
		"of the issuer of the token": {
			func(h *house) signed.Signer { return h.family.Requester().Token }, pairs(),
			[]string{"Unauthenticated TOKEN_INVALID"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, nil)
			f, key, refused, answered := h.household(), c.key(h), map[string]int{}, 0
			for k := int64(0); ; k += stride {
				ctx, trace := h.traced(h.municipality())
				before := false // the release
				p := h.seams.arm(k, func() {
					before = len(h.record.releases(trace)) == 0
					require.NoError(t, h.keys.Pin(h.pins(key)))
				})
				b, err := h.compose(ctx, h.about(f))
				h.seams.disarm()
				require.NoError(t, h.keys.Pin(h.pins(signed.Signer{})))
				if !p.fired.Load() {
					require.NoError(t, err)
					break
				}
				if err != nil {
					refused[codeOf(err).String()+" "+reasonOf(err)]++
					continue
				}
				answered++
				for _, pair := range c.gone {
					require.False(t, before && len(disclosed(b, pair)) > 0, "point %d, %s: %v", k, p.where, pair)
				}
			}
			onlyThese(t, c.ways, refused)
			seen(t, answered)
			h.verify()
			t.Logf("answered %d times, refused %v", answered, refused)
		})
	}
}

// A key is announced at every point of a request: nothing that was judged is judged
// otherwise by more keys, and no request fails for it.
func TestAnAnnouncedKeyDisturbsNobody(t *testing.T) {
	h := newHouse(t, nil)
	f, more := h.household(), h.pins(signed.Signer{})
	other := h.family.Parties["UWV"]
	more[other.OIN] = append(more[other.OIN], signed.Key{ID: "sign-2", Alg: "ES256", Public: other.Token.Key.Public(), Kinds: family.DocumentKinds()})
	for k := int64(0); ; k += stride {
		require.NoError(t, h.keys.Pin(h.pins(signed.Signer{})))
		p := h.seams.arm(k, func() { require.NoError(t, h.keys.Pin(more)) })
		b, err := h.compose(h.municipality().call(), h.about(f))
		h.seams.disarm()
		require.NoError(t, err, p.where)
		require.True(t, b.GetComplete(), p.where)
		if !p.fired.Load() {
			break
		}
	}
	h.verify()
}
