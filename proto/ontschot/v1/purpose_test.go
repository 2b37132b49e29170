package ontschotv1_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// forms are what a purpose has to match in places that bound it further.
func forms() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"delegations and issuers": regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`),
		"messages and mandates":   regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}([.][a-z][a-z0-9_]{0,31}){0,3}$`),
		"agreements":              regexp.MustCompile(`^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)*$`),
	}
}

// What any of those places accepts has the form of a purpose.
func TestTheFormOfAPurpose(t *testing.T) {
	long := strings.Repeat("a", 32)
	for text, accepted := range map[string]string{
		"a":                             "messages and mandates, agreements",
		"integral_budget":               "messages and mandates, agreements",
		"integral_budget.compose":       "delegations and issuers, messages and mandates, agreements",
		"a1_.b_2":                       "delegations and issuers, messages and mandates, agreements",
		"a.b.c.d":                       "delegations and issuers, messages and mandates, agreements",
		"a.b.c.d.e":                     "delegations and issuers, agreements",
		long + "." + long:               "delegations and issuers, messages and mandates, agreements",
		long + "a." + long:              "delegations and issuers, agreements",
		"a." + strings.Repeat("b", 126): "delegations and issuers, agreements",
	} {
		require.True(t, ontschotv1.IsPurpose(text), text)
		for name, form := range forms() {
			require.Equal(t, strings.Contains(accepted, name), form.MatchString(text), "%s: %s", name, text)
		}
	}
	for _, text := range []string{
		"", ".", "a.", ".a", "a..b", "*", "integral_budget.*", "Integral.budget", "a.B", "1a", "a.1b", "_a", "a._b",
		"a-b", "a b", "a.b ", " a", "a.b\n", "a.\u00e9", "a.b\x00", "integral_budget,compose", "Harm Jansen",
	} {
		require.False(t, ontschotv1.IsPurpose(text), "%q", text)
		for name, form := range forms() {
			require.False(t, form.MatchString(text), "%s: %q", name, text)
		}
	}
	for _, p := range ontschotv1.Purposes() {
		require.True(t, ontschotv1.IsPurpose(p), p)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab1_..A-é\n")), 0, 12, -1).Draw(t, "text")
		require.Equal(t, forms()["agreements"].MatchString(text), ontschotv1.IsPurpose(text), "%q", text)
	})
}
