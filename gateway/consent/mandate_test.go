package consent_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

func mandate(until string, scope ...string) *consent.Mandate {
	return &consent.Mandate{Document: sum("paper"), Scope: scope, Until: until}
}

// byProxy is draft, given by a gemachtigde on a mandate until its last day.
func byProxy(f *family.Family) consent.Draft {
	d := draft(f)
	d.GivenBy = signature("gemachtigde", "buurvrouw")
	d.GivenBy.Mandate = mandate(d.Until.String(), d.Purpose)
	return d
}

// A mandate of any other form is refused when it is signed, and when somebody signed it
// who did not look. The error names the member, and no value of it.
func TestHostileMandates(t *testing.T) {
	f, keys := openFamily(t)
	many := []string{}
	for _, c := range "abcdefghijklmnopq" {
		many = append(many, string(c))
	}
	for name, c := range map[string]struct {
		change func(*consent.Signature)
		names  string
	}{
		"no document":             {func(s *consent.Signature) { s.Mandate.Document = "" }, "mandate.document"},
		"a short hash":            {func(s *consent.Signature) { s.Mandate.Document = sum("paper")[1:] }, "mandate.document"},
		"a long hash":             {func(s *consent.Signature) { s.Mandate.Document += "0" }, "mandate.document"},
		"a hash in capitals":      {func(s *consent.Signature) { s.Mandate.Document = strings.ToUpper(sum("paper")) }, "mandate.document"},
		"a name for a document":   {func(s *consent.Signature) { s.Mandate.Document = "machtiging van Harm" }, "mandate.document"},
		"no scope":                {func(s *consent.Signature) { s.Mandate.Scope = nil }, "mandate.scope"},
		"an empty scope":          {func(s *consent.Signature) { s.Mandate.Scope = []string{} }, "mandate.scope"},
		"a purpose twice":         {func(s *consent.Signature) { s.Mandate.Scope = []string{f.Case.Purpose, f.Case.Purpose} }, "mandate.scope"},
		"not sorted":              {func(s *consent.Signature) { s.Mandate.Scope = []string{f.Case.Purpose, "a"} }, "mandate.scope"},
		"everything":              {func(s *consent.Signature) { s.Mandate.Scope = []string{"*"} }, "mandate.scope"},
		"whatever begins so":      {func(s *consent.Signature) { s.Mandate.Scope = []string{"integral_budget.*"} }, "mandate.scope"},
		"a nameless purpose":      {func(s *consent.Signature) { s.Mandate.Scope = []string{"", f.Case.Purpose} }, "mandate.scope"},
		"a number for a purpose":  {func(s *consent.Signature) { s.Mandate.Scope = []string{harm, f.Case.Purpose} }, "mandate.scope"},
		"a name for a purpose":    {func(s *consent.Signature) { s.Mandate.Scope = []string{"Harm Jansen", f.Case.Purpose} }, "mandate.scope"},
		"more purposes than many": {func(s *consent.Signature) { s.Mandate.Scope = many }, "mandate.scope"},
		"no last day":             {func(s *consent.Signature) { s.Mandate.Until = "" }, "mandate.until"},
		"no such last day":        {func(s *consent.Signature) { s.Mandate.Until = "2026-02-30" }, "mandate.until"},
		"a last moment":           {func(s *consent.Signature) { s.Mandate.Until = "2026-02-28T00:00:00Z" }, "mandate.until"},
		"without end":             {func(s *consent.Signature) { s.Mandate.Until = "9999" }, "mandate.until"},
		"empty":                   {func(s *consent.Signature) { s.Mandate = &consent.Mandate{} }, "mandate.document"},
		"of the person":           {func(s *consent.Signature) { s.Role = "self" }, "only a gemachtigde"},
		"of a parent":             {func(s *consent.Signature) { s.Role = "ouder_met_gezag" }, "only a gemachtigde"},
		"of a guardian":           {func(s *consent.Signature) { s.Role = "voogd" }, "only a gemachtigde"},
		"of a curator":            {func(s *consent.Signature) { s.Role = "curator" }, "only a gemachtigde"},
		"of a mentor":             {func(s *consent.Signature) { s.Role = "mentor" }, "only a gemachtigde"},
		"of a bewindvoerder":      {func(s *consent.Signature) { s.Role = "bewindvoerder" }, "only a gemachtigde"},
		"of a next of kin":        {func(s *consent.Signature) { s.Role = "naaste" }, "only a gemachtigde"},
		"of nobody":               {func(s *consent.Signature) { s.Role = "" }, "only a gemachtigde"},
	} {
		for _, beside := range []bool{false, true} {
			d, place := byProxy(f), "given_by"
			if beside { // the person signed too: it is refused all the same
				place = "co_given_by[0]"
				d.CoGivenBy = []consent.Signature{d.GivenBy}
				d.GivenBy = signature("self", "harm")
				c.change(&d.CoGivenBy[0])
			} else {
				c.change(&d.GivenBy)
			}
			_, err := d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
			require.ErrorIs(t, err, consent.ErrDocument, name)
			require.ErrorContains(t, err, place+"."+map[bool]string{true: "mandate", false: c.names}[c.names == "only a gemachtigde"], name)
			require.ErrorContains(t, err, c.names, name)
			for _, value := range []string{harm, "Harm", sum("paper"), "2026", "integral"} {
				require.NotContains(t, err.Error(), value, name)
			}
			claims, out, err := d.Write(bsn(t, harm), f.Now)
			require.NoError(t, err)
			out.Document, err = f.Requester().Sign.Compact(signed.Consent, claims)
			require.NoError(t, err)
			_, err = consent.Verify(keys, out.Document, out.Disclosures, out.SubjectKey)
			require.ErrorIs(t, err, consent.ErrDocument, name)
		}
	}
}

// What stands in the signed bytes is a mandate and no more: another member, a list of
// two, a null in its place, a member twice.
func TestAMandateIsReadStrictly(t *testing.T) {
	f, keys := openFamily(t)
	claims, out, err := byProxy(f).Write(bsn(t, harm), f.Now)
	require.NoError(t, err)
	raw, err := signed.Canonical(claims)
	require.NoError(t, err)
	whole, err := json.Marshal(claims.GivenBy.Mandate)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		mandate string
		want    error
	}{
		"as it is":         {string(whole), nil},
		"a member more":    {strings.TrimSuffix(string(whole), "}") + `,"name":"x"}`, signed.ErrMalformed},
		"a member less":    {`{"document":"` + sum("paper") + `","scope":["integral_budget.compose"]}`, signed.ErrMalformed},
		"a member twice":   {strings.TrimSuffix(string(whole), "}") + `,"until":"2030-01-01"}`, signed.ErrMalformed},
		"in capitals":      {strings.Replace(string(whole), `"until"`, `"Until"`, 1), signed.ErrMalformed},
		"two":              {"[" + string(whole) + "," + string(whole) + "]", signed.ErrMalformed},
		"nothing":          {"null", signed.ErrMalformed},
		"a text":           {`"` + sum("paper") + `"`, signed.ErrMalformed},
		"scope of a text":  {strings.Replace(string(whole), `["integral_budget.compose"]`, `"integral_budget.compose"`, 1), signed.ErrMalformed},
		"scope of nothing": {strings.Replace(string(whole), `["integral_budget.compose"]`, `null`, 1), consent.ErrDocument},
		"another order":    {`{"until":"2025-12-31","document":"` + sum("paper") + `","scope":["integral_budget.compose"]}`, signed.ErrMalformed},
	} {
		changed := strings.Replace(string(raw), string(whole), c.mandate, 1)
		document, err := signRaw(f, changed)
		require.NoError(t, err)
		_, err = consent.Verify(keys, document, out.Disclosures, out.SubjectKey)
		if c.want == nil {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, c.want, name)
		require.ErrorIs(t, err, consent.ErrDocument, name)
	}
	twice := strings.Replace(string(raw), `"mandate":`, `"mandate":`+string(whole)+`,"mandate":`, 1)
	document, err := signRaw(f, twice)
	require.NoError(t, err)
	_, err = consent.Verify(keys, document, out.Disclosures, out.SubjectKey)
	require.ErrorIs(t, err, signed.ErrMalformed, "two mandates in one signature")
}

// signRaw signs bytes as they are, in whatever form (ES256, RFC 7518 3.4).
func signRaw(f *family.Family, payload string) ([]byte, error) {
	by := f.Requester().Sign
	like, err := by.Compact(signed.Consent, consent.Claims{Issuer: by.Issuer})
	if err != nil {
		return nil, err
	}
	head, _, _ := strings.Cut(string(like), ".")
	input := head + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	digest := sha256.Sum256([]byte(input))
	der, err := by.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, err
	}
	sig := append(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))...)
	return []byte(input + "." + base64.RawURLEncoding.EncodeToString(sig)), nil
}

// A consent on a mandate holds to its last day, which is no later than the mandate's;
// after that it is renewed on a new mandate or by the person, and by nobody else.
func TestAConsentEndsWithTheMandate(t *testing.T) {
	f, keys := openFamily(t)
	d := byProxy(f)
	d.Until = civil.MustParse("2025-06-30")
	d.GivenBy.Mandate.Until = "2025-06-30"
	doc := verify(t, keys, issue(t, f, d))
	_, err := ask(t, f, "UWV", "2025-06-30", doc)
	require.NoError(t, err)
	require.True(t, doc.InForce(civil.MustParse("2025-06-30")))
	require.False(t, doc.InForce(civil.MustParse("2025-07-01")))
	_, err = ask(t, f, "UWV", "2025-07-01", doc)
	require.ErrorIs(t, err, consent.ErrExpired)

	// Issued for longer than the mandate, it never counted: not on its first day either.
	for _, until := range []string{"2025-06-29", "2025-01-01", "2024-12-31", "2020-01-01"} {
		d.GivenBy.Mandate.Until = until
		_, err = d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
		var lacks *consent.MandateError
		require.ErrorAs(t, err, &lacks)
		require.ErrorIs(t, err, consent.ErrWrongSigner)
		require.Contains(t, lacks.Lacks, "ends before")
		careless := writeCarelessly(t, f, d)
		never := verify(t, keys, careless)
		require.ErrorIs(t, never.Signed(), consent.ErrWrongSigner)
		_, err = ask(t, f, "UWV", "2025-01-01", never)
		require.ErrorIs(t, err, consent.ErrWrongSigner)
	}

	// Twelve months is the most, and the mandate need not last longer than that.
	d.Until, d.GivenBy.Mandate.Until = civil.MustParse("2030-01-01"), "2025-12-31"
	require.Equal(t, "2025-12-31", verify(t, keys, issue(t, f, d)).Span().To.String())
	d.GivenBy.Mandate.Until = "2025-12-30"
	_, err = d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
	require.ErrorIs(t, err, consent.ErrWrongSigner)
}

// Whatever until a keeper wrote, twelve months is what counts, and what the mandate covers.
func TestAMandateCoversWhatCounts(t *testing.T) {
	f, keys := openFamily(t)
	claims, out, err := byProxy(f).Write(bsn(t, harm), f.Now)
	require.NoError(t, err)
	claims.Until = "2030-01-01"
	out.Document, err = f.Requester().Sign.Compact(signed.Consent, claims)
	require.NoError(t, err)
	doc := verify(t, keys, out)
	_, err = ask(t, f, "UWV", "2025-12-31", doc)
	require.NoError(t, err)
	_, err = ask(t, f, "UWV", "2026-01-01", doc)
	require.ErrorIs(t, err, consent.ErrExpired)
}

func writeCarelessly(t testing.TB, f *family.Family, d consent.Draft) consent.Issued {
	t.Helper()
	claims, out, err := d.Write(bsn(t, harm), f.Now)
	require.NoError(t, err)
	out.Document, err = f.Requester().Sign.Compact(signed.Consent, claims)
	require.NoError(t, err)
	return out
}

// Why a gemachtigde does not count is said, and only where one could.
func TestWhyAProxyDoesNotCount(t *testing.T) {
	f, _ := openFamily(t)
	for name, c := range map[string]struct {
		change func(*consent.Draft)
		says   string
	}{
		"no mandate":        {func(d *consent.Draft) { d.GivenBy.Mandate = nil }, "there is none"},
		"another purpose":   {func(d *consent.Draft) { d.GivenBy.Mandate.Scope = []string{"integral_budget.account"} }, "not for this purpose"},
		"a longer purpose":  {func(d *consent.Draft) { d.GivenBy.Mandate.Scope = []string{"integral_budget"} }, "not for this purpose"},
		"too short":         {func(d *consent.Draft) { d.GivenBy.Mandate.Until = "2025-12-30" }, "ends before"},
		"hardly known":      {func(d *consent.Draft) { d.GivenBy.Proof.LOA = "laag" }, "substantieel"},
		"not said how well": {func(d *consent.Draft) { d.GivenBy.Proof.LOA = "" }, "substantieel"},
		"under curatele":    {func(d *consent.Draft) { d.Authority.Kind, d.GivenBy.Mandate = "Curatele", nil }, ""},
		"sixteen": {func(d *consent.Draft) {
			d.Born, d.GivenBy.Mandate = civil.MustParse("2008-06-15"), nil
		}, ""},
		"given by one on nothing, beside the person": {func(d *consent.Draft) {
			d.GivenBy.Mandate, d.CoGivenBy = nil, []consent.Signature{signature("self", "harm")}
		}, "there is none"},
	} {
		d := byProxy(f)
		c.change(&d)
		_, err := d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
		require.ErrorIs(t, err, consent.ErrWrongSigner, name)
		var lacks *consent.MandateError
		require.Equal(t, c.says != "", errors.As(err, &lacks), name)
		require.ErrorContains(t, err, c.says, name)
	}
}

// What is narrowed rests on the same mandate, which nobody can change on the way.
func TestNarrowingStaysWithinTheMandate(t *testing.T) {
	f, keys := openFamily(t)
	wide := verify(t, keys, issue(t, f, byProxy(f)))
	uwv := f.Parties["UWV"].OIN
	less, err := wide.Narrow([]consent.Grant{{Source: uwv}})
	require.NoError(t, err)
	narrow := verify(t, keys, issue(t, f, less))
	require.Equal(t, wide.Claims().GivenBy, narrow.Claims().GivenBy)
	_, err = ask(t, f, "SVB", "2025-06-30", narrow)
	require.NoError(t, err)
	_, err = ask(t, f, "SVB", "2026-01-01", narrow)
	require.ErrorIs(t, err, consent.ErrExpired)
	for name, change := range map[string]func(*consent.Draft){
		"a later day":        func(d *consent.Draft) { d.GivenBy.Mandate.Until = "2030-01-01" },
		"a wider scope":      func(d *consent.Draft) { d.GivenBy.Mandate.Scope[0] = "integral_budget.account" },
		"another paper":      func(d *consent.Draft) { d.GivenBy.Mandate.Document = sum("another") },
		"none at all":        func(d *consent.Draft) { d.GivenBy.Mandate = nil },
		"by the person, now": func(d *consent.Draft) { d.GivenBy = signature("self", "harm") },
	} {
		d, err := wide.Narrow([]consent.Grant{{Source: uwv}})
		require.NoError(t, err)
		change(&d)
		_, err = d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
		require.ErrorIs(t, err, consent.ErrDocument, name)
	}
	require.Equal(t, "2025-12-31", wide.Claims().GivenBy.Mandate.Until, "the document itself is never touched")

	// One that was signed without, before there were mandates, is not mended by saying less.
	d := byProxy(f)
	d.GivenBy.Mandate = nil
	old := verify(t, keys, writeCarelessly(t, f, d))
	less, err = old.Narrow([]consent.Grant{{Source: uwv}})
	require.NoError(t, err)
	_, err = less.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
	require.ErrorIs(t, err, consent.ErrWrongSigner)
	less.GivenBy.Mandate = mandate("2025-12-31", f.Case.Purpose)
	_, err = less.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
	require.ErrorIs(t, err, consent.ErrDocument)
}

// A source reads the mandate in the shell: what it is and until when, and of whom not.
func TestASourceSeesTheMandate(t *testing.T) {
	f, keys := openFamily(t)
	c, err := ask(t, f, "UWV", "2025-06-30", verify(t, keys, issue(t, f, byProxy(f))))
	require.NoError(t, err)
	require.Equal(t, mandate("2025-12-31", f.Case.Purpose), c.Mandate())
	c.Mandate().Scope[0] = "x"
	require.Equal(t, mandate("2025-12-31", f.Case.Purpose), c.Mandate(), "a copy")
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(c.Shell(), ".")[1])
	require.NoError(t, err)
	require.Contains(t, string(payload), `"given_by":{"mandate":{"document":"`+sum("paper")+`","scope":["integral_budget.compose"],"until":"2025-12-31"},"proof":`)
	plain, err := ask(t, f, "UWV", "2025-06-30", verify(t, keys, issue(t, f, draft(f))))
	require.NoError(t, err)
	require.Nil(t, plain.Mandate())
	require.NotContains(t, plain.Shell(), "mandate")
}

// In a case of a family, whom the register knows as gemachtigde signs on a mandate.
func TestAFamilysProxyHasAMandate(t *testing.T) {
	f, keys := openFamily(t)
	c := f.Case.Consents[1] // of A3, an adult
	f.Case.Authority = append(f.Case.Authority, casefile.Authority{
		Person: c.Person, Kind: "Volmacht", Holders: []identity.PersonRef{"A1"}, From: c.From, To: c.Until,
	})
	c.Signers = []identity.PersonRef{"A1"}
	for _, lost := range []bool{false, true} {
		r, _, err := f.Consent(c, func(c *consent.Claims) {
			require.Equal(t, "gemachtigde", c.GivenBy.Role)
			if lost {
				c.GivenBy.Mandate = nil
			}
		})
		require.NoError(t, err)
		d, err := consent.Verify(keys, r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey())
		require.NoError(t, err)
		require.Equal(t, lost, d.Signed() != nil)
	}
}
