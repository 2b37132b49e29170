package wording

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// filled are values for every place.
func filled(change map[string]string) map[string]string {
	values := map[string]string{
		"consumer_oin": "00000099000000119000", "consumer_name": "Gemeente 's-Gravenhage #1: & co", "source_oin": "00000099000000000001", "source_name": "UWV",
		"from": "2026-01-01", "until": "2026-12-31", "breach_contact": "fg@gemeente.example", "dpia_sha256": strings.Repeat("0a", 32),
	}
	for name, value := range change {
		values[name] = value
	}
	return values
}

func templates(t testing.TB) map[string][]byte {
	names, err := AgreementTemplates(policies.FS)
	require.NoError(t, err)
	require.Equal(t, []string{
		"municipality-cak", "municipality-careoffice", "municipality-education", "municipality-insurer",
		"municipality-municipality", "municipality-svb", "municipality-transport", "municipality-uwv",
	}, names)
	out := map[string][]byte{}
	for _, name := range names {
		out[name], err = AgreementTemplate(policies.FS, name)
		require.NoError(t, err)
	}
	return out
}

// A template asks what the matrix can let pass for that kind of source: no less, so
// that nobody has to add to it, and no more, so that nobody signs for nothing.
func TestATemplateAsksWhatTheMatrixLetsPass(t *testing.T) {
	m, err := ReadMatrix(policies.FS)
	require.NoError(t, err)
	for name, template := range templates(t) {
		_, kind, _ := strings.Cut(name, "-")
		raw, err := Fill(template, filled(nil))
		require.NoError(t, err, name)
		terms, err := agreement.ReadDraft(raw)
		require.NoError(t, err, name)
		for _, g := range terms.Grants {
			for _, purpose := range g.Purposes {
				may := matrixOf(t, m, purpose, kind)
				require.ElementsMatch(t, may.categories, g.Categories, name)
				require.LessOrEqual(t, g.RetentionDays, may.retention, name)
				require.LessOrEqual(t, g.MaxAgeDays, g.RetentionDays, "%s: nobody builds upon what is gone", name)
				require.Equal(t, may.assurance, g.Assurance, name)
				for law, bases := range may.bases {
					require.Contains(t, bases, g.LegalBasis, "%s, %s", name, law)
				}
			}
		}
	}
}

// cells is what the matrix says of one kind of source, over all its laws.
type cells struct {
	categories []string
	retention  int
	assurance  string
	bases      map[string][]string // by law
}

func matrixOf(t *testing.T, m *Matrix, purpose, kind string) cells {
	out := cells{retention: 1 << 30, bases: map[string][]string{}}
	laws := m.purposes[purpose].Sources[kind]
	require.NotEmpty(t, laws, kind)
	may := map[string]bool{}
	for law, cell := range laws {
		for category := range cell.Fields {
			may[category] = true
		}
		out.retention = min(out.retention, cell.Rest["retention_days"].(int))
		out.assurance = cell.Rest["assurance"].(string)
		for _, basis := range cell.Rest["basis"].([]any) {
			out.bases[law] = append(out.bases[law], basis.(map[string]any)["avg6"].(string))
		}
	}
	for _, category := range budgetv1.Categories() {
		if may[string(category)] {
			out.categories = append(out.categories, string(category))
		}
	}
	return out
}

// Who asks, who is asked, and that the one may be the other, comes from the template.
func TestTheRolesInATemplate(t *testing.T) {
	for name, template := range templates(t) {
		raw, err := Fill(template, filled(nil))
		require.NoError(t, err)
		terms, err := agreement.ReadDraft(raw)
		require.NoError(t, err)
		roles := []string{terms.Parties[0].Role, terms.Parties[1].Role}
		if name == "municipality-municipality" {
			require.Equal(t, []string{agreement.Both, agreement.Both}, roles)
			require.Len(t, terms.Grants, 2)
			continue
		}
		require.Equal(t, []string{agreement.Consumer, agreement.Source}, roles, name)
		require.Len(t, terms.Grants, 1)
		require.Equal(t, identity.OIN("00000099000000119000"), terms.Grants[0].Consumer)
	}
}

// What the designs promise must be in the words that are signed, not in a comment.
func TestWhatIsSignedSaysWhatWasPromised(t *testing.T) {
	for name, wants := range map[string][]string{
		"municipality-uwv":       {"los van Suwinet", "Wet SUWI", "is inkomen"},
		"municipality-education": {"onderwijsnummer", "het burgerservicenummer wordt niet gebruikt", "gaat nooit in de pot"},
		"municipality-transport": {"pasnummer", "Kilometers zijn geen geld"},
		"municipality-cak":       {"niet van een budget afgetrokken"},
		"municipality-svb":       {"verrekent niets tussen wetten"},
	} {
		raw, err := Fill(templates(t)[name], filled(nil))
		require.NoError(t, err)
		terms, err := agreement.ReadDraft(raw)
		require.NoError(t, err)
		for _, want := range wants {
			require.Contains(t, terms.Finance.Settlement, want, name)
		}
	}
	for name, template := range templates(t) {
		require.Regexp(t, `schiet[^.]* voor[ .]`, strings.Join(strings.Fields(string(template)), " "), "%s: nobody pre-finances", name)
	}
}

// Comments in a template name a category as the catalog does.
func TestTheCommentsOfATemplate(t *testing.T) {
	texts := read(t)
	item := regexp.MustCompile(`(?m)^      - (\w+) # (.*)$`)
	for name, template := range templates(t) {
		found := item.FindAllStringSubmatch(string(template), -1)
		require.NotEmpty(t, found, name)
		for _, m := range found {
			require.Equal(t, texts.Label("categories", m[1], Dutch), m[2], name)
		}
		for line := range strings.Lines(string(template)) {
			require.LessOrEqual(t, len([]rune(line)), 98, name)
		}
	}
}

func TestFill(t *testing.T) {
	template := []byte("a: \"{from}\" # {from} {until}")
	raw, err := Fill(template, filled(nil))
	require.NoError(t, err)
	require.Equal(t, `a: "2026-01-01" # 2026-01-01 2026-12-31`, string(raw))
	for name, value := range map[string]string{
		"consumer_name": "x\nversion: 2", "source_name": `x"`, "from": "", "until": `\u0022`, "breach_contact": "{from}",
		"dpia_sha256": strings.Repeat("a", 201), "source_oin": "x\u2028y", "consumer_oin": "\xff\x00",
	} {
		_, err := Fill(template, filled(map[string]string{name: value}))
		require.ErrorIs(t, err, ErrTemplate, name)
		require.ErrorContains(t, err, name)
		if value != "" {
			require.NotContains(t, err.Error(), value)
		}
	}
	_, err = Fill(template, filled(map[string]string{"form": "x"}))
	require.ErrorIs(t, err, ErrTemplate)
	for name, template := range templates(t) {
		raw, err := Fill(template, filled(nil))
		require.NoError(t, err)
		require.NotContains(t, string(raw), "{", name)
		for _, place := range AgreementPlaces() {
			require.Contains(t, string(template), "{"+place+"}", name)
		}
	}
}

func TestTemplatesThatAreNotThere(t *testing.T) {
	for _, name := range []string{"", "municipality-bank", "words.nl", "../README", "municipality-uwv.yaml"} {
		_, err := AgreementTemplate(policies.FS, name)
		require.ErrorIs(t, err, ErrTemplate, name)
		require.ErrorContains(t, err, "municipality-uwv")
	}
	_, err := AgreementTemplates(fstest.MapFS{})
	require.ErrorIs(t, err, ErrTemplate)
}

// FuzzAgreementFill: no value says anything in another place than its own.
func FuzzAgreementFill(f *testing.F) {
	f.Add("Gemeente Meppel", "2026-01-01")
	f.Add("x\" # y", "{until}")
	f.Add("0", "\x80")
	f.Add("x\u2028\r\nversion: 2", "#")
	template, err := AgreementTemplate(policies.FS, "municipality-uwv")
	require.NoError(f, err)
	plain, err := Fill(template, filled(nil))
	require.NoError(f, err)
	want, err := agreement.ReadDraft(plain)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, name, contact string) {
		raw, err := Fill(template, filled(map[string]string{"consumer_name": name, "breach_contact": contact}))
		if err != nil {
			require.ErrorIs(t, err, ErrTemplate)
			return
		}
		got, err := agreement.ReadDraft(raw)
		if err != nil { // the contact has not the form of one; nothing else can be wrong
			require.ErrorContains(t, err, "oversight.breach_contact")
			return
		}
		got.Oversight.BreachContact = want.Oversight.BreachContact
		require.Equal(t, want, got)
	})
}
