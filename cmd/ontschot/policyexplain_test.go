package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
)

func explaining(t *testing.T, want int, args ...string) string {
	t.Helper()
	code, out, errs := cli(t, append([]string{"policy", "explain"}, args...)...)
	require.Equal(t, want, code, errs)
	return out
}

// Each check with its article, each kind of data, and what then has to be done, in both
// languages; and what is not there, is weak, or is taken away.
func TestPolicyExplain(t *testing.T) {
	out := explaining(t, exitDone, "--source", "CARE_OFFICE", "--law", "WLZ", "--fields", "amount,product,income", "--date", "2026-01-05")
	for _, line := range []string{
		"Antwoord: JA\n", "  ja   er is een overeenkomst (OVK-01; AVG art. 5 lid 2 en art. 24 (aangenomen))\n",
		"  ja   welk soort hulp of uitkering: alleen de groep\n", "VELD-01", "  ten hoogste 90 dagen bewaren\n", "  bericht aan: de persoon om wie het gaat\n", "Wlz art. 9.1.3 lid 3",
	} {
		require.Contains(t, out, line)
	}
	out = explaining(t, exitNo, "--source", "uwv", "--law", "wia", "--without", "consent", "--lang", "en")
	require.Contains(t, out, "Answer: NO\n")
	require.Contains(t, out, "  NO   there is a consent for this question (TOEST-01;")
	require.Contains(t, out, "What now? Ask the person for consent.")
	require.Contains(t, out, "only a check keeps it back")
	require.Regexp(t, `The way to yes\n  Consent of this person .*Code: TOEST-01\. `, out)
	out = explaining(t, exitNo, "--source", "uwv", "--law", "wia", "--without", "consent", "--without", "agreement", "--role", "kwaliteitsmedewerker")
	require.Regexp(t, `De weg naar ja\n  .*Code: ROL-01\. .*\n  .*Code: OVK-01\. .*\n  .*Code: TOEST-01\. `, out)
	for code, args := range map[string][]string{
		"OVK-01":  {"--without", "agreement"},
		"ROL-01":  {"--role", "kwaliteitsmedewerker"},
		"VELD-03": {"--requester", "00000099000999999000", "--fields", "quantity"},
	} {
		require.Contains(t, explaining(t, exitNo, append([]string{"--source", "municipality", "--law", "wmo"}, args...)...), "NEE  ", code)
		require.Contains(t, explaining(t, exitNo, append([]string{"--source", "municipality", "--law", "wmo"}, args...)...), code)
	}
	require.Contains(t, explaining(t, exitNo, "--source", "municipality", "--law", "wlz"), "DOEL-01")
	explaining(t, exitDone, "--source", "municipality", "--law", "wmo", "--signer", "gemachtigde")
	explaining(t, exitDone, "--source", "municipality", "--law", "wmo", "--purpose", "integral_budget.account", "--without", "consent")

	for _, wrong := range []string{
		"", "--source uwv", "--law wia", "--source uwv --law wia --role regiseur", "--source uwv --law wia --fields diagnosis", "--source uwv --law wia --without x",
		"--source uwv --law wia --law ww", "--law wams=maybe", "--law wamz=on", "--source uwv --law wia --date 2026-02-30", "--source uwv --law wia --requester 12", "--law wams=on --format junit",
	} {
		code, _, errs := cli(t, append([]string{"policy", "explain"}, strings.Fields(wrong)...)...)
		require.Equal(t, exitUsage, code, "%s: %s", wrong, errs)
	}
	code, _, errs := cli(t, "policy", "explain", "--law", "wams=on", "--dir", ownPolicies(t, [3]string{composeTable, "roles: [consulent, regisseur]", "roles: [consulent, regiseur]"}))
	require.Equal(t, exitRules, code)
	require.Contains(t, errs, "bedoelt u regisseur?")
}

// A statute as a switch: what would pass, on which ground and article, from which money may
// be put together; and a question, before and after. What changes nothing is said too.
func TestALawAsASwitch(t *testing.T) {
	out := explaining(t, exitDone, "--as-of", "2026-07-01", "--law", "wams=on")
	require.Contains(t, out, "Stel: Wet aanpak meervoudige problematiek sociaal domein (wetsvoorstel 36 295) telt, op 1 juli 2026.\n")
	require.Contains(t, out, "    op grond van: wettelijke plicht (AVG art. 6 lid 1 onder c); Wams (wetsvoorstel 36 295)\n    wel: ")
	require.Contains(t, out, "Vraag dat over een casus, met --case.")
	require.Equal(t, out, explaining(t, exitDone, "--date", "2026-07-01", "--law-switch", "wams=on"), "the other spelling")

	for _, nothing := range [][]string{{"2025-12-31", "wams=on"}, {"2026-07-01", "wams=off"}, {"2026-07-01", "wgs=on"}, {"2026-07-01", "besluit-2019=off"}} {
		require.Contains(t, explaining(t, exitDone, "--as-of", nothing[0], "--law", nothing[1], "--lang", "en"), " changes nothing on ", nothing)
	}
	out = explaining(t, exitDone, "--as-of", "2021-07-01", "--law", "besluit-2019=off", "--lang", "en")
	require.Contains(t, out, "money of WMO, JW, WLZ, ZVW may no longer be put together, in GM0119,")
	require.Contains(t, out, "(Wlz art. 10.1.2 en Stb. 2019, 255)")

	question := []string{"--source", "municipality", "--law", "wmo", "--basis", "avg-6-1-c", "--fields", "amount", "--as-of", "2026-07-01"}
	require.Contains(t, explaining(t, exitNo, question...), "GROND-01")
	out = explaining(t, exitDone, append(question, "--law", "wams=on", "--format", "json")...)
	var told explanation
	require.NoError(t, json.Unmarshal([]byte(out), &told))
	require.Equal(t, contractExplain, told.Contract)
	require.False(t, told.Question.Allow)
	require.True(t, told.Switched.Question.Allow)
	require.Equal(t, []switchedCell{{"integral_budget.compose", "municipality", "wmo", "avg-6-1-c", []string{"Wams (wetsvoorstel 36 295)"},
		[]string{"amount", "entitlement", "period", "product", "quantity", "reference"}, nil}}, told.Switched.Cells)
	require.Empty(t, told.Switched.Silent)
	for _, c := range told.Question.Checks {
		require.Contains(t, policy.Codes(), c.Code)
		require.NotEqual(t, c.Code, c.Title, "each check has a title")
		require.NotEmpty(t, c.Article)
	}
}
