package policy

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// How it differs, and how much is told apart.
func TestHowACandidateDiffers(t *testing.T) {
	yes := func(fields map[string]string, days int) Outcome {
		return Outcome{Allow: true, Fields: fields, RetentionDays: days}
	}
	no := func(codes ...string) Outcome { return Outcome{Reasons: codes} }
	fields := func(list ...string) map[string]string {
		all := map[string]string{}
		for i := 0; i < len(list); i += 2 {
			all[list[i]] = list[i+1]
		}
		return all
	}
	for name, one := range map[string]struct {
		is, would      Outcome
		effect, reason string
	}{
		"the same":           {yes(fields("amount", "none"), 1), yes(fields("amount", "none"), 1), "", ""},
		"the same no":        {no("ROL-01"), no("ROL-01"), "", ""},
		"another no":         {no("ROL-01"), no("OVK-01"), EffectOther, "OVK-01"},
		"denied":             {yes(fields("amount", "none"), 1), no("ROL-01", "OVK-01"), EffectDenied, "ROL-01"},
		"allowed":            {no("ROL-01"), yes(fields("amount", "none"), 1), EffectAllowed, "ROL-01"},
		"fewer":              {yes(fields("amount", "none", "product", "none"), 1), Outcome{Allow: true, Fields: fields("product", "none"), Dropped: fields("amount", "VELD-03")}, EffectFewer, "VELD-03"},
		"fewer and more":     {yes(fields("amount", "none"), 1), yes(fields("product", "none"), 1), EffectFewer, ""},
		"a stricter mask":    {yes(fields("product", "none"), 1), yes(fields("product", "group"), 1), EffectFewer, ""},
		"a wider mask":       {yes(fields("product", "exists"), 1), yes(fields("product", "group"), 1), EffectMore, ""},
		"more":               {Outcome{Allow: true, Fields: fields("product", "none"), Dropped: fields("amount", "VELD-01")}, yes(fields("amount", "none", "product", "none"), 0), EffectMore, "VELD-01"},
		"fewer days":         {yes(fields("amount", "none"), 2), yes(fields("amount", "none"), 1), EffectOther, ""},
		"a mask of no list":  {yes(fields("amount", "none"), 1), yes(fields("amount", "odd"), 1), EffectMore, ""},
		"nothing at all, no": {Outcome{}, Outcome{}, "", ""},
	} {
		effect, reason := differs(one.is, one.would)
		require.Equal(t, one.effect, effect, name)
		require.Equal(t, one.reason, reason, name)
	}
	s := newShadow(func(context.Context, *offered) (Outcome, Outcome) { return no("ROL-01"), no("OVK-01") })
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() {
			for n := range shadowDifferences {
				s.one(&offered{in: &Input{Resource: Resource{Properties: ResourceProperties{Source: string(rune(0x100 + i*shadowDifferences + n))}}}})
			}
		})
	}
	all.Wait()
	c := s.Counts()
	require.EqualValues(t, 2*shadowDifferences, c.Different)
	require.Len(t, c.Differences, shadowDifferences+1)
	require.Equal(t, Difference{Effect: EffectOther}, c.Differences[0].Difference)
}
