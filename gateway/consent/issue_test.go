package consent_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const born = "1971-03-12"

func bsn(t testing.TB, s string) identity.BSN {
	t.Helper()
	b, err := identity.ParseBSN(s)
	require.NoError(t, err)
	return b
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// signature of somebody in a role; one name is one human being.
func signature(role, who string) consent.Signature {
	return consent.Signature{Role: role, Proof: consent.Proof{Kind: "digid", LOA: "substantieel", Hash: sum(who)}}
}

// draft of an adult's consent to UWV and SVB.
func draft(f *family.Family) consent.Draft {
	own := f.Requester().OIN
	return consent.Draft{
		Keeper: own, Purpose: f.Case.Purpose, Case: f.CaseCommitment, Controller: own, Recipients: []identity.OIN{own},
		Grants: []consent.Grant{
			{Source: f.Parties["UWV"].OIN, Categories: []budgetv1.Category{"entitlement", "period", "income"}},
			{Source: f.Parties["SVB"].OIN, Categories: []budgetv1.Category{"spending"}},
		},
		Basis: consent.Basis{AVG6: "avg-6-1-e", AVG9: "avg-9-2-a", National: "Wmo 2015 art. 5.2.5"},
		From:  civil.MustParse("2025-01-01"), Until: civil.MustParse("2025-12-31"), Born: civil.MustParse(born),
		Authority: consent.Authority{LookedUp: "2025-01-01"}, GivenBy: signature("self", "harm"),
		Notice: consent.Notice{Version: "1", SHA256: sum("notice")}, Withdraw: "https://meppel.example/withdraw",
	}
}

const harm, sanne = "999940004", "999940016"

func issue(t testing.TB, f *family.Family, d consent.Draft) consent.Issued {
	t.Helper()
	out, err := d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
	require.NoError(t, err)
	return out
}

func verify(t testing.TB, v *signed.Verifier, i consent.Issued) consent.Document {
	t.Helper()
	d, err := consent.Verify(v, i.Document, i.Disclosures, i.SubjectKey)
	require.NoError(t, err)
	return d
}

// ask holds the documents against a use by the requester at a source.
func ask(t testing.TB, f *family.Family, source, today string, documents ...consent.Document) (consent.Consent, error) {
	t.Helper()
	return consent.Find(documents, consent.Use{
		Subject: bsn(t, harm), Source: f.Parties[source].OIN, Recipient: f.Requester().OIN, Purpose: f.Case.Purpose, Case: f.CaseCommitment,
		Today: civil.MustParse(today), Ended: func(string) bool { return false },
	})
}

func TestWhatIsIssuedCounts(t *testing.T) {
	f, keys := openFamily(t)
	out := issue(t, f, draft(f))
	d := verify(t, keys, out)
	require.Equal(t, out.ID, d.ID())
	require.Len(t, out.SubjectKey, 32)
	c, err := ask(t, f, "UWV", "2025-06-30", d)
	require.NoError(t, err)
	require.Equal(t, []budgetv1.Category{"entitlement", "period", "income"}, c.Categories())
	require.Equal(t, "adult", d.Claims().Authority.AgeGroup)
	require.Empty(t, d.Claims().LapsesOn)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(out.Document), ".")[1])
	require.NoError(t, err)
	for _, hidden := range []string{harm, born, string(f.Parties["UWV"].OIN), "income"} {
		require.NotContains(t, string(payload), hidden)
	}
	again := issue(t, f, draft(f))
	require.NotEqual(t, out.ID, again.ID)
	require.NotEqual(t, out.SubjectKey, again.SubjectKey)
	require.NotEqual(t, d.Claims().Subject, verify(t, keys, again).Claims().Subject)
	require.NotEqual(t, out.Disclosures, again.Disclosures)
}

func TestTwelveMonthsAndBirthdays(t *testing.T) {
	f, keys := openFamily(t)
	d := draft(f)
	d.Until = civil.MustParse("2030-01-01")
	require.Equal(t, "2025-12-31", verify(t, keys, issue(t, f, d)).Claims().Until)
	d.From, d.Authority.LookedUp = civil.MustParse("2024-02-29"), "2024-02-29"
	require.Equal(t, "2025-02-28", verify(t, keys, issue(t, f, d)).Claims().Until)
	d = draft(f)
	d.Born = civil.MustParse("2008-06-15")
	doc := verify(t, keys, issue(t, f, d))
	require.Equal(t, "16_17", doc.Claims().Authority.AgeGroup)
	require.Equal(t, "2026-06-15", doc.Claims().LapsesOn)
	d.Born = civil.MustParse("2009-06-15")
	d.Authority.Kind, d.Authority.Holders, d.Authority.Settled = "EenhoofdigOuderlijkGezag", 1, "rechterlijke_uitspraak"
	d.CoGivenBy = []consent.Signature{signature("ouder_met_gezag", "sanne")}
	doc = verify(t, keys, issue(t, f, d))
	require.Equal(t, "2025-06-14", doc.Span().To.String(), "to the day before the birthday")
	require.Equal(t, "rechterlijke_uitspraak", doc.Claims().Authority.Settled)
}

// What could never count is not issued: the error names the field, and no value.
func TestWhatIsNotIssued(t *testing.T) {
	f, _ := openFamily(t)
	own := f.Requester()
	many := make([]consent.Grant, 17)
	for name, c := range map[string]struct {
		change func(*consent.Draft)
		want   error
		names  string
	}{
		"another keeper":          {func(d *consent.Draft) { d.Keeper = f.Parties["UWV"].OIN }, consent.ErrDocument, "keeper"},
		"no purpose":              {func(d *consent.Draft) { d.Purpose = "" }, consent.ErrDocument, "purpose"},
		"purpose in words":        {func(d *consent.Draft) { d.Purpose = "one budget" }, consent.ErrDocument, "purpose"},
		"no case":                 {func(d *consent.Draft) { d.Case = "" }, consent.ErrDocument, "case"},
		"no controller":           {func(d *consent.Draft) { d.Controller = "1" }, consent.ErrDocument, "controller"},
		"no recipients":           {func(d *consent.Draft) { d.Recipients = nil }, consent.ErrDocument, "recipients"},
		"a recipient twice":       {func(d *consent.Draft) { d.Recipients = []identity.OIN{own.OIN, own.OIN} }, consent.ErrDocument, "recipients"},
		"no basis":                {func(d *consent.Draft) { d.Basis.AVG6 = "" }, consent.ErrDocument, "basis.avg6"},
		"no grants":               {func(d *consent.Draft) { d.Grants = nil }, consent.ErrDocument, "grants"},
		"too many grants":         {func(d *consent.Draft) { d.Grants = many }, consent.ErrDocument, "grants"},
		"a source twice":          {func(d *consent.Draft) { d.Grants[1].Source = d.Grants[0].Source }, consent.ErrDocument, "grants[1].source"},
		"no source":               {func(d *consent.Draft) { d.Grants[1].Source = "UWV" }, consent.ErrDocument, "grants[1].source"},
		"an unknown category":     {func(d *consent.Draft) { d.Grants[0].Categories = []budgetv1.Category{"*"} }, consent.ErrDocument, "grants[0].categories"},
		"a category twice":        {func(d *consent.Draft) { d.Grants[0].Categories = []budgetv1.Category{"amount", "amount"} }, consent.ErrDocument, "grants[0].categories"},
		"yes to nothing":          {func(d *consent.Draft) { d.Grants = []consent.Grant{{Source: own.OIN}} }, consent.ErrDocument, "yes to nothing"},
		"no first day":            {func(d *consent.Draft) { d.From = 0 }, consent.ErrDocument, "from"},
		"no last day":             {func(d *consent.Draft) { d.Until = 0 }, consent.ErrDocument, "until"},
		"ends before it begins":   {func(d *consent.Draft) { d.Until = d.From - 1 }, consent.ErrDocument, "until"},
		"born afterwards":         {func(d *consent.Draft) { d.Born = d.From + 1 }, consent.ErrDocument, "born"},
		"never looked up":         {func(d *consent.Draft) { d.Authority.LookedUp = "" }, consent.ErrDocument, "looked_up"},
		"looked up afterwards":    {func(d *consent.Draft) { d.Authority.LookedUp = "2025-01-02" }, consent.ErrDocument, "looked_up"},
		"settled on a hunch":      {func(d *consent.Draft) { d.Authority.Settled = "gevoel" }, consent.ErrDocument, "authority.settled"},
		"an unknown role":         {func(d *consent.Draft) { d.GivenBy.Role = "buurman" }, consent.ErrDocument, "given_by.role"},
		"an unknown role beside":  {func(d *consent.Draft) { d.CoGivenBy = []consent.Signature{{Role: "buurman"}} }, consent.ErrDocument, "co_given_by[0].role"},
		"an unknown proof":        {func(d *consent.Draft) { d.GivenBy.Proof.Kind = "phone" }, consent.ErrDocument, "given_by.proof.kind"},
		"too many signatures":     {func(d *consent.Draft) { d.CoGivenBy = make([]consent.Signature, 9) }, consent.ErrDocument, "co_given_by"},
		"no notice":               {func(d *consent.Draft) { d.Notice = consent.Notice{} }, consent.ErrDocument, "notice.version"},
		"no hash of the notice":   {func(d *consent.Draft) { d.Notice.SHA256 = "x" }, consent.ErrDocument, "notice.sha256"},
		"no way to withdraw":      {func(d *consent.Draft) { d.Withdraw = "http://meppel.example" }, consent.ErrDocument, "withdraw_url"},
		"replaces what is no id":  {func(d *consent.Draft) { d.Replaces = "a b" }, consent.ErrDocument, "replaces"},
		"not known how old":       {func(d *consent.Draft) { d.Born = 0 }, consent.ErrAuthority, ""},
		"its own word on the age": {func(d *consent.Draft) { d.Born, d.Authority.AgeGroup = 0, "adult" }, consent.ErrAuthority, ""},
		"a measure unknown":       {func(d *consent.Draft) { d.Authority.Kind = "Onbekend" }, consent.ErrAuthority, ""},
		"nobody signed":           {func(d *consent.Draft) { d.GivenBy = consent.Signature{} }, consent.ErrWrongSigner, ""},
		"without a proof":         {func(d *consent.Draft) { d.GivenBy.Proof = consent.Proof{} }, consent.ErrWrongSigner, ""},
		"a bewindvoerder":         {func(d *consent.Draft) { d.GivenBy.Role = "bewindvoerder" }, consent.ErrWrongSigner, ""},
		"given by who may not": {func(d *consent.Draft) {
			d.CoGivenBy, d.GivenBy = []consent.Signature{d.GivenBy}, signature("naaste", "zus")
		}, consent.ErrWrongSigner, ""},
		"a kind without end": {func(d *consent.Draft) { d.Authority.Kind = strings.Repeat("x", 65) }, consent.ErrDocument, "authority.kind"},
	} {
		d := draft(f)
		c.change(&d)
		_, err := d.Issue(own.Sign, bsn(t, harm), f.Now)
		require.ErrorIs(t, err, c.want, name)
		require.ErrorContains(t, err, c.names, name)
		for _, value := range []string{harm, born, "phone", "buurman", "gevoel", "00000099"} {
			require.NotContains(t, err.Error(), value, name)
		}
	}
	_, err := draft(f).Issue(own.Sign, identity.BSN{}, f.Now)
	require.ErrorIs(t, err, consent.ErrDocument)
	require.ErrorContains(t, err, "subject")
	_, err = draft(f).Issue(signed.Signer{}, bsn(t, harm), time.Time{})
	require.ErrorIs(t, err, consent.ErrDocument)
	_, err = consent.Draft{}.Issue(signed.Signer{}, bsn(t, harm), time.Time{})
	require.ErrorIs(t, err, consent.ErrDocument)
}
