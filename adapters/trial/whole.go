package trial

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Whole checks that no answer passes for all there is when it is less. It takes two sound
// records of a JSON format, how they are listed in an answer, and how that is read; and it
// tries every answer that is cut off, that has a member twice or in other capitals, or a
// value of another type, and every record that is gone from beside one that is odd. What
// comes of such an answer is an error, or a gap, or all that came of the sound one. A
// change of a value that leaves it well-formed, null among those, is not tried: nobody
// could see it.
func Whole(t *testing.T, records [2]string, listed func(records ...string) string, read func(raw string) (*adapters.Writer, error)) {
	t.Helper()
	answer := func(raw string) (*budgetv1.FetchResponse, error) {
		w, err := read(raw)
		if err != nil {
			return nil, err
		}
		return w.Response()
	}
	sound := listed(records[0], records[1])
	a, err := answer(sound)
	require.NoError(t, err)
	want := figures(a)
	require.Len(t, want, 2)
	require.False(t, incomplete(a))
	for at := range sound {
		_, err := answer(sound[:at])
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), "cut off at %d", at)
	}
	for _, raw := range damaged(t, sound) {
		a, err := answer(raw)
		if err != nil {
			require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), raw)
			continue
		}
		require.True(t, incomplete(a) || slices.Equal(want, figures(a)), "less, and nobody is told: %s", raw)
	}
	for _, odd := range damaged(t, records[0]) {
		beside, err := answer(listed(records[1], odd))
		require.NoError(t, err, "one record costs one record: %s", odd)
		alone, err := answer(listed(odd))
		require.NoError(t, err)
		require.Equal(t, incomplete(beside), incomplete(alone), "a sound record that is gone makes nothing complete: %s", odd)
	}
}

func incomplete(a *budgetv1.FetchResponse) bool {
	return slices.ContainsFunc(a.GetNotices(), func(n *budgetv1.Notice) bool { return n.GetGap() != "" })
}

// figures are what an answer comes to: rights with their days and money.
func figures(a *budgetv1.FetchResponse) (all []string) {
	for _, l := range a.GetLines() {
		all = append(all, fmt.Sprint(l.GetLaw(), l.GetPeriod(), l.GetAmount().GetCents(), l.GetAmount().GetBasis(), l.GetAmount().GetDivisor(), l.GetQuantity().GetVolume()))
	}
	for _, c := range a.GetOwnContributions() {
		all = append(all, fmt.Sprint(c.GetLaw(), c.GetPeriod(), c.GetCentsPerMonth()))
	}
	slices.Sort(all)
	return all
}

// damaged lists what becomes of a JSON text when one member in it is there twice or is
// written in capitals, or one value is of another type.
func damaged(t *testing.T, raw string) []string {
	var whole any
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	require.NoError(t, d.Decode(&whole))
	return ways(whole)
}

// ways gives the damaged texts of one value.
func ways(v any) (all []string) {
	for _, other := range []string{`{}`, `[]`, `true`, `7`, `"x"`} {
		amount, isText := v.(string) // of which a number is another amount, and no other type
		if kindOf(v) != other[0] && (other != "7" || !isText || strings.Trim(amount, "0123456789,.") != "") {
			all = append(all, other)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			rest := func(members ...string) string {
				for other, value := range v {
					if other != name {
						members = append(members, fmt.Sprintf("%q:%s", other, text(value)))
					}
				}
				return "{" + strings.Join(members, ",") + "}"
			}
			member := fmt.Sprintf("%q:%s", name, text(value))
			all = append(all, rest(member, member), rest(member, fmt.Sprintf("%q:null", name)), rest(fmt.Sprintf("%q:0", name), member),
				rest(member, fmt.Sprintf("%q:0", strings.ToUpper(name))))
			if strings.ToUpper(name) != name {
				all = append(all, rest(fmt.Sprintf("%q:%s", strings.ToUpper(name), text(value))))
			}
			for _, damaged := range ways(value) {
				all = append(all, rest(fmt.Sprintf("%q:%s", name, damaged)))
			}
		}
	case []any:
		for i, value := range v {
			for _, damaged := range ways(value) {
				items := make([]string, len(v))
				for j := range v {
					items[j] = text(v[j])
				}
				items[i] = damaged
				all = append(all, "["+strings.Join(items, ",")+"]")
			}
		}
	}
	return all
}

// kindOf is the first byte of a value of the type: a number is 7, true and false are t.
func kindOf(v any) byte {
	switch v.(type) {
	case map[string]any:
		return '{'
	case []any:
		return '['
	case bool:
		return 't'
	case json.Number:
		return '7'
	}
	return '"'
}

func text(v any) string {
	raw, _ := json.Marshal(v) // it was JSON before
	return string(raw)
}
