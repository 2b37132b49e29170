package wording

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// aWay is an act with something in everything that a text can tell.
func aWay(act, code string) *budgetv1.WayToYes {
	return &budgetv1.WayToYes{Act: act, Party: "GM0119", Categories: []string{"amount", "period"}, Role: "regisseur", Assurance: "hoog", LegalBasis: "avg-6-1-e", Code: code}
}

func wayParams() map[string]string {
	return map[string]string{"person": "A2", "source": "UWV", "source_code": "UWV1", "party GM0119": "Gemeente Meppel", "code": "TOEST-01", "article": "AVG art. 7 lid 3", "cell": "uwv/wia"}
}

func TestEveryActHasATextForEveryReaderInBothLanguages(t *testing.T) {
	texts := read(t)
	article := regexp.MustCompile(`(?i)\bart\.|artikel|article`)
	for _, lang := range []string{Dutch, English} {
		acts := texts.now.Load().languages[lang].ways.Acts
		require.ElementsMatch(t, budgetv1.Acts(), keys(acts))
		for act, text := range acts {
			require.Equal(t, text.Command, texts.now.Load().languages[Dutch].ways.Acts[act].Command, "a command is the same in every language")
			for _, code := range append(keys(text.Codes), "") {
				way := []*budgetv1.WayToYes{aWay(act, code)}
				seen := map[string]bool{}
				for _, reader := range []string{ReaderFamily, ReaderWorker, ReaderOfficer} {
					said := texts.Way(way, reader, lang, wayParams())
					require.NotContains(t, said, "{", act)
					require.False(t, seen[said], "%s: two readers read the same: %s", act, said)
					seen[said] = true
					require.Equal(t, reader == ReaderOfficer, article.MatchString(said), "%s: articles are for the officer: %s", act, said)
					if lang == Dutch && reader != ReaderOfficer {
						requireReadable(t, act+" "+code+" "+reader, said)
					}
				}
			}
		}
	}
}

func TestAWayInWords(t *testing.T) {
	texts := read(t)
	way := []*budgetv1.WayToYes{
		{Act: budgetv1.ActAgreementPropose, Party: "UWV1", Categories: []string{"amount"}},
		{Act: budgetv1.ActConsentAsk, Party: "UWV1", Categories: []string{"amount", "period"}},
	}
	require.Equal(t, "Er is meer nodig dan één ding. De gemeente kan UWV een overeenkomst voorstellen. Beide moeten tekenen. "+
		"A2, of wie voor A2 mag tekenen, kan toestemming geven. Dat hoeft niet. Nee zeggen heeft geen gevolgen voor de rest van het budget.",
		texts.Way(way, ReaderFamily, Dutch, wayParams()))
	require.Equal(t, []string{"ontschot agreement new --with UWV1", "ontschot consent ask --case CASE --person A2 --source UWV1"}, texts.Commands(way, Dutch, wayParams()))
	require.Contains(t, texts.Way(way, ReaderOfficer, English, wayParams()), "Code: TOEST-01. Basis: AVG art. 7 lid 3. Cell: uwv/wia.")
	never := []*budgetv1.WayToYes{{Act: budgetv1.ActNever, Code: "VELD-03", Party: "GM0119", Categories: []string{"amount"}, Article: "AVG art. 24"}}
	require.Equal(t, "Gemeente Meppel deelt dit niet. Ook toestemming verandert dat niet. De privacy officer van Gemeente Meppel kan uitleggen waarom.",
		texts.Way(never, ReaderFamily, Dutch, wayParams()))
	require.Contains(t, texts.Way(never, ReaderOfficer, Dutch, wayParams()), "Code: VELD-03. Grondslag: AVG art. 24.")
	require.Empty(t, texts.Commands(never, Dutch, wayParams()))
	require.Contains(t, texts.Way(append(way, never...), ReaderFamily, Dutch, wayParams()), "waarom. Het gaat alleen om: het bedrag van het budget.", "only a part of it never passes")
	require.Empty(t, texts.Way(nil, ReaderFamily, Dutch, wayParams()))
	require.Empty(t, texts.Article("XYZ-01"))
	gap := texts.Gap("NO_CONSENT", Dutch, map[string]string{"person": "A2", "source": "UWV", "way": "told"})
	require.Equal(t, "De gegevens van A2 bij UWV ontbreken. Er is geen toestemming voor gegeven.", gap, "what to do is said once")
}
